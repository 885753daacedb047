#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "certstore/x509/certificate.h"

namespace signet::gateway {

/// Every certificate of a file of at most 1 MiB, as certstore::parse_certificates() reads them.
///
/// @error  as read_file(), parse_certificates(); names the file.
Result<std::vector<certstore::Certificate>> read_certificates_file(const std::filesystem::path& path);

}  // namespace signet::gateway

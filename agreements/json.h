#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agreements/model.h"
#include "agreements/problem.h"
#include "base/result.h"

/// Partners, certificates and AS2 agreements as Azure's JSON (Microsoft.Logic 2019-05-01): the same values as
/// the XML's, by the same grammar. What only the XML has, the extension's settings, stands under
/// properties.metadata by its path in the XML:
///
///     "metadata": {"contact": "as2@globex.example", "x:connection/@url": "https://globex.example/as2",
///                  "receiveAgreement/x:allowWeak[1]/@algorithm": "SHA1", ...}
///
/// docs/agreements.md tells the rules.

namespace signet::agreements {

inline constexpr std::size_t kMaxJsonSize = std::size_t{1} << 20;  ///< octets
inline constexpr std::size_t kMaxJsonDepth = 32;                   ///< objects and arrays within each other

/// Reads JSON text, the order of members kept.
///
/// @error InvalidInput   not JSON (RFC 8259), or not UTF-8; says where.
/// @error LimitExceeded  larger or deeper than the limits above.
Result<nlohmann::ordered_json> parse_json(std::string_view text);

/// What came of reading an entry: the entry, or everything that is wrong. Problem::path is a JSON pointer
/// (RFC 6901) into what was given, file and place are unset.
template <class Entry>
struct JsonOutcome {
  std::optional<Entry> entry;
  std::vector<Problem> problems;
};

/// Reads an entry, named `name`, from a resource: {"properties": {...}}. Members that are not known are
/// ignored; of those that are, a wrong type, a value out of its range and a missing one are problems. Under
/// metadata, a name with "x:" in front of one of its steps is the extension's and has to be known.
JsonOutcome<Partner> read_partner(std::string_view name, const nlohmann::ordered_json& resource);
JsonOutcome<Agreement> read_agreement(std::string_view name, const nlohmann::ordered_json& resource);
/// @param vaults  the ARM id that a vault's id begins with, up to "/vaults/"; a key elsewhere is a problem. A
///                certificate that names a key may come without its octets: CertificateEntry then has none.
JsonOutcome<CertificateEntry> read_certificate(std::string_view name, const nlohmann::ordered_json& resource,
                                               std::string_view vaults);

/// {"properties": {...}}, which the reader reads as the same entry.
///
/// An identity that an agreement leaves to its partner's is null.
nlohmann::ordered_json write_json(const Partner& partner);
nlohmann::ordered_json write_json(const Agreement& agreement);
nlohmann::ordered_json write_json(const CertificateEntry& certificate, std::string_view vaults);

}  // namespace signet::agreements

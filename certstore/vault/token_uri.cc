#include "certstore/vault/token_uri.h"

#include <fmt/format.h>
#include <p11-kit/uri.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "base/handle.h"
#include "certstore/vault/token_internal.h"

namespace signet::vault {
namespace {

constexpr std::string_view kExpected =
    "expected 'pkcs11:token=LABEL?module-path=/PATH/OF/MODULE.so&pin-source=/PATH/OF/PIN-FILE'";

UriPtr new_uri() {
  UriPtr uri(p11_kit_uri_new());
  if (!uri) throw std::bad_alloc();
  return uri;
}

Result<std::string> format_uri(P11KitUri* uri, P11KitUriType type) {
  char* text = nullptr;
  if (p11_kit_uri_format(uri, type, &text) != P11_KIT_URI_OK)
    return fail(ErrorKind::InvalidInput, "this does not go into a PKCS#11 URI");
  const Handle<char, free_text> owned(text);
  return std::string(text);
}

tl::unexpected<Error> refuse(std::string_view why) {
  return fail(ErrorKind::InvalidInput, fmt::format("{}: {}", why, kExpected));
}

/// A label as a CK_TOKEN_INFO has it: filled up with spaces.
std::string label_of(P11KitUri* uri) {
  const CK_TOKEN_INFO& info = *p11_kit_uri_get_token_info(uri);
  if (info.label[0] == 0) return {};  // not given
  std::string label;
  for (const unsigned char octet : info.label) label.push_back(static_cast<char>(octet));
  label.erase(label.find_last_not_of(' ') + 1);
  return label;
}

}  // namespace

Result<TokenUri> TokenUri::of(const std::filesystem::path& module, std::string_view label,
                              const std::filesystem::path& pin_file) {
  const UriPtr uri = new_uri();
  CK_TOKEN_INFO& info = *p11_kit_uri_get_token_info(uri.get());
  if (label.empty() || label.size() > sizeof info.label)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a token's label has 1 to {} octets, not {}", sizeof info.label, label.size()));
  std::memset(info.label, ' ', sizeof info.label);
  std::memcpy(info.label, label.data(), label.size());
  p11_kit_uri_set_module_path(uri.get(), module.c_str());
  p11_kit_uri_set_pin_source(uri.get(), pin_file.c_str());
  SIGNET_TRY(const std::string text, format_uri(uri.get(), P11_KIT_URI_FOR_ANY));
  return parse(text);
}

Result<TokenUri> TokenUri::parse(std::string_view text) {
  const UriPtr uri = new_uri();
  const std::string given(text);
  const auto type =
      static_cast<P11KitUriType>(P11_KIT_URI_FOR_TOKEN | P11_KIT_URI_FOR_MODULE | P11_KIT_URI_FOR_SLOT);
  if (p11_kit_uri_parse(given.c_str(), type, uri.get()) != P11_KIT_URI_OK)
    return refuse("this is no PKCS#11 URI of a token (RFC 7512)");
  if (p11_kit_uri_any_unrecognized(uri.get()) != 0)
    return refuse("the PKCS#11 URI has an attribute that is not known");
  if (p11_kit_uri_get_pin_value(uri.get()) != nullptr)
    return refuse("the PKCS#11 URI holds a PIN, which belongs into a file of its own");
  const char* const module = p11_kit_uri_get_module_path(uri.get());
  const char* const pin_file = p11_kit_uri_get_pin_source(uri.get());
  TokenUri result;
  if (module != nullptr) result.module_ = module;
  if (pin_file != nullptr) result.pin_file_ = pin_file;
  if (!result.module_.is_absolute())
    return refuse("the path of the PKCS#11 module is to be absolute, since it is loaded as a program");
  if (!result.pin_file_.is_absolute()) return refuse("the path of the PIN file is to be absolute");
  SIGNET_TRY(result.text_, format_uri(uri.get(), P11_KIT_URI_FOR_ANY));
  p11_kit_uri_set_module_path(uri.get(), nullptr);
  p11_kit_uri_set_pin_source(uri.get(), nullptr);
  SIGNET_TRY(result.token_, format_uri(uri.get(), P11_KIT_URI_FOR_ANY));
  if (result.token_ == "pkcs11:") return refuse("the PKCS#11 URI names no token");
  result.name_ = label_of(uri.get());
  if (result.name_.empty()) result.name_ = result.token_;
  return result;
}

}  // namespace signet::vault

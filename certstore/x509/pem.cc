#include "certstore/x509/pem.h"

#include <fmt/format.h>
#include <openssl/pem.h>

#include <algorithm>
#include <optional>

#include "certstore/x509/asn1_internal.h"

namespace signet::certstore {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";

/// A SEQUENCE that fills the input, or one of more than 127 octets or of indefinite length, which begins as
/// no text does.
bool is_sequence(ByteView octets) {
  return octets.size() >= 2 && octets[0] == 0x30 && (octets[1] >= 0x80 || octets[1] == octets.size() - 2);
}

struct PemBlock {
  std::string label;
  std::string header;
  Bytes content;
};

/// The next block; nothing after the last.
Result<std::optional<PemBlock>> next_block(BIO* text) {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (PEM_read_bio(text, &label, &header, &data, &size) == 1) {
    PemBlock block{label, header, Bytes(data, data + size)};
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(size));  // it may have been somebody's private key
    return block;
  }
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  Error error = take_openssl_error(ErrorKind::InvalidInput, "the PEM text is damaged");
  if (!ended) return fail(std::move(error));
  return std::nullopt;
}

}  // namespace

std::string pem_of(ByteView der, std::string_view label) {
  constexpr std::size_t kLineLength = 64;  // RFC 7468 section 2
  const std::string text = base64(der);
  std::string pem = fmt::format("-----BEGIN {}-----\n", label);
  for (std::size_t i = 0; i < text.size(); i += kLineLength) pem.append(text, i, kLineLength).append("\n");
  return pem + fmt::format("-----END {}-----\n", label);
}

bool is_pem(ByteView octets) { return as_text(octets).find(kBegin) != std::string_view::npos; }

Result<Bytes> pem_or_der_in(std::string_view text) {
  if (is_pem(as_bytes(text))) return to_bytes(text);
  auto der = parse_base64(text);
  if (!der) return fail(std::move(der).error().within("this is neither PEM nor base64"));
  return der;
}

Result<Bytes> der_of(ByteView pem_or_der, const PemForm& form) {
  if (pem_or_der.size() > form.most_octets)
    return fail(ErrorKind::LimitExceeded, fmt::format("{} octets; a {} may take {} at most",
                                                      pem_or_der.size(), form.what, form.most_octets));
  if (is_sequence(pem_or_der)) return Bytes(pem_or_der.begin(), pem_or_der.end());
  const OwnErrors errors;
  const BioPtr text = borrow_as_bio(pem_or_der);
  SIGNET_TRY(std::optional<PemBlock> block, next_block(text.get()));
  if (!block)
    return fail(
        ErrorKind::InvalidInput,
        fmt::format("no {} found: expected DER, or PEM (-----BEGIN {}-----); got {} octets beginning "
                    "with '{}'",
                    form.what, form.label, pem_or_der.size(),
                    printable(as_text(pem_or_der.first(std::min<std::size_t>(pem_or_der.size(), 24))))));
  const bool fits =
      block->label == form.label || (!form.older_label.empty() && block->label == form.older_label);
  if (!fits || !block->header.empty())
    return fail(ErrorKind::InvalidInput,
                fmt::format("the PEM text holds a block '{}'{}; a {} is wanted: -----BEGIN {}-----",
                            printable(block->label), block->header.empty() ? "" : " with a header", form.what,
                            form.label));
  SIGNET_TRY(const std::optional<PemBlock> second, next_block(text.get()));
  if (second)
    return fail(ErrorKind::InvalidInput,
                fmt::format("a second block '{}' follows the {}: split the text, and give the one meant",
                            printable(second->label), form.what));
  return std::move(block->content);
}

}  // namespace signet::certstore

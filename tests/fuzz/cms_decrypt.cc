#include "as2/cms/decrypt.h"

#include <array>

#include "tests/fuzz/slices.h"
#include "tests/fuzz/test_party.h"

/// What comes out of an encrypted message is no longer than the message, whether it was for us or not; and
/// every failure of keys, ciphertext and structure has the same words.

using namespace signet;
using namespace signet::as2;
using fuzz::require;

SIGNET_FUZZ_TARGET(cms_decrypt) {
  static const std::array<certstore::PrivateCertificate, 1> ours = {fuzz::test_party("gateway")};
  const Slice message = fuzz::as_slice(input);
  MemorySink out;
  const auto decrypted = cms::decrypt(message, ours, {}, out);
  require(out.bytes().size() <= input.size(), "decryption makes nothing longer");
  if (decrypted) {
    require(decrypted->recipient == ours[0].certificate, "the recipient is us");
  } else {
    require(decrypted.error().fault == Fault::DecryptionFailed ||
                decrypted.error().fault == Fault::InsufficientMessageSecurity,
            "a message that does not decrypt says nothing about why");
  }
}

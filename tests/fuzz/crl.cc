#include "certstore/x509/crl.h"

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/test_party.h"

/// A list is its DER, says each serial number once, and is by whoever signed it: never by one whose private
/// key made none.

using namespace signet;
using namespace signet::certstore;
using fuzz::require;

SIGNET_FUZZ_TARGET(crl) {
  static const Certificate stranger = fuzz::test_certificate("gateway");
  const auto crl = Crl::parse(input);
  if (!crl) return;
  const auto from_der = Crl::parse(crl->der());
  require(from_der && *from_der == *crl, "a list is its DER");
  const auto from_pem = Crl::parse(as_bytes(crl->pem()));
  require(from_pem && *from_pem == *crl, "a list is its PEM");
  require(from_der->entries() == crl->entries() && from_der->number() == crl->number(),
          "it says the same again");
  require(!crl->issuer().empty() && crl->this_update() <= crl->next_update(),
          "it is somebody's, and has a time");
  for (const RevokedCertificate& entry : crl->entries())
    require(crl->find(entry.serial) == &entry, "each entry is found, once");
  require(crl->find("no serial number") == nullptr, "nothing else is found");
  require(!crl->older_than(*crl), "a list is not older than itself");
  require(!crl->verify(stranger), "nobody signed it but who did");
  static_cast<void>(crl->covers(stranger));
}

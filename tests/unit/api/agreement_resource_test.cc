#include <gmock/gmock.h>

#include "gateway/api/agreement_identities.h"
#include "gateway/api/arm_resource.h"
#include "gateway/api/host_paths.h"

namespace signet::gateway::api {
namespace {

using agreements::Account;
using agreements::Agreement;
using agreements::BusinessIdentity;
using testing::IsEmpty;
using testing::SizeIs;

Account two_partners() {
  Account account;
  account.partners = {
      {"host", agreements::PartnerType::B2B, {{"ZZ", "1"}, {"AS2Identity", "HOST"}}, {}},
      {"guest", agreements::PartnerType::B2B, {{"AS2Identity", "G1"}, {"AS2Identity", "G2"}}, {}}};
  return account;
}

Agreement between_them() {
  Agreement agreement;
  agreement.name = "a";
  agreement.host_partner = "host";
  agreement.guest_partner = "guest";
  return agreement;
}

TEST(AgreementIdentities, AreThePartnersOnlyOnes) {
  Agreement agreement = between_them();
  fill_in_identities(two_partners(), agreement);
  const BusinessIdentity host{"AS2Identity", "HOST"};
  EXPECT_EQ(agreement.host_identity, host);
  EXPECT_EQ(agreement.guest_identity, std::nullopt);  // it has two
  EXPECT_EQ(agreement.receive_agreement.receiver_business_identity, host);
  EXPECT_EQ(agreement.send_agreement.sender_business_identity, host);
}

TEST(AgreementIdentities, ThatWereOnlyShownAreLeftOutAgain) {
  const Account account = two_partners();
  Agreement before = between_them();
  before.guest_identity = {"AS2Identity", "G2"};
  Agreement again = before;
  fill_in_identities(account, again);
  EXPECT_NE(again, before);
  leave_out_identities(account, before, again);
  EXPECT_EQ(again, before);

  Agreement changed = before;
  fill_in_identities(account, changed);
  changed.send_agreement.receiver_business_identity = {"AS2Identity", "G1"};
  leave_out_identities(account, before, changed);
  EXPECT_EQ(changed.send_agreement.receiver_business_identity->value, "G1");
}

TEST(HostPaths, AreForThoseWhoRunTheGateway) {
  Agreement agreement = between_them();
  agreement.receive_agreement.delivery.folder = "in/guest";
  agreement.send_agreement.pickup.emplace();
  EXPECT_THAT(paths_on_this_host(agreement, nullptr), IsEmpty());
  Agreement absolute = agreement;
  absolute.receive_agreement.delivery.folder = "/etc";
  absolute.send_agreement.pickup->folder = "/home";
  absolute.connection.tls_trust.ca_file = "/ca.pem";
  EXPECT_THAT(paths_on_this_host(absolute, nullptr), SizeIs(3));
  EXPECT_THAT(paths_on_this_host(absolute, &agreement), SizeIs(3));
  EXPECT_THAT(paths_on_this_host(absolute, &absolute), IsEmpty());
}

TEST(VaultIds, AreBelowTheSubscription) {
  const Installation here{"t", "11111111-2222"};
  EXPECT_EQ(vault_in_id(
                here, "/subscriptions/11111111-2222/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv1")
                .value(),
            "kv1");
  EXPECT_TRUE(vault_in_id(
      here, "/SUBSCRIPTIONS/11111111-2222/resourcegroups/G/providers/microsoft.keyvault/Vaults/kv1"));
  for (const char* id :
       {"", "kv1", "/subscriptions/other/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv1",
        "/subscriptions/11111111-2222/resourceGroups/g/providers/Microsoft.KeyVault/vaults/",
        "/subscriptions/11111111-2222/resourceGroups/g/providers/Microsoft.KeyVault/vaults/a/b",
        "/subscriptions/11111111-2222/resourceGroups//providers/Microsoft.KeyVault/vaults/kv1"})
    EXPECT_EQ(vault_in_id(here, id).error().kind, ErrorKind::InvalidInput) << id;
}

TEST(Refusals, TellEveryErrorAndNoWarning) {
  std::vector<agreements::Problem> problems(3);
  problems[0].path = "/a";
  problems[1].severity = agreements::Severity::Warning;
  problems[2].path = "/c";
  const Answer answer = refusal_of(problems);
  EXPECT_EQ(answer.status, 400);
  const Json details = answer.body->at("error").at("details");
  ASSERT_THAT(details, SizeIs(2));
  EXPECT_EQ(details[1]["target"], "/c");
}

}  // namespace
}  // namespace signet::gateway::api

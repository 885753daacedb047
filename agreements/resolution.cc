#include "agreements/resolution.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace signet::agreements {

namespace {

constexpr std::size_t kLongestAs2Name = 128;  // RFC 4130 section 6.2

bool is_as2_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestAs2Name && trim(name) == name &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

/// Finds the names of one agreement and gathers what is wrong on the way.
class NameResolver {
 public:
  NameResolver(const AccountIndex& account, const Agreement& agreement, Resolution& result)
      : account_(account), agreement_(agreement), result_(result) {}

  void resolve() {
    const Partner* host = partner(agreement_.host_partner, "hostPartner");
    const Partner* guest = partner(agreement_.guest_partner, "guestPartner");
    if (host == nullptr || guest == nullptr) return;
    if (host == guest)
      report("guestPartner", "another partner than hostPartner", in_quotes(guest->name),
             "Name the partner you trade with.");
    const OneWayAgreement& in = agreement_.receive_agreement;
    const OneWayAgreement& out = agreement_.send_agreement;
    ResolvedAgreement& names = result_.resolved;
    names.receive_from =
        name(*guest, "receiveAgreement/senderBusinessIdentity", in.sender_business_identity, Side::Guest);
    names.receive_to =
        name(*host, "receiveAgreement/receiverBusinessIdentity", in.receiver_business_identity, Side::Host);
    names.send_from =
        name(*host, "sendAgreement/senderBusinessIdentity", out.sender_business_identity, Side::Host);
    names.send_to =
        name(*guest, "sendAgreement/receiverBusinessIdentity", out.receiver_business_identity, Side::Guest);
  }

 private:
  enum class Side { Host, Guest };

  const Partner* partner(const std::string& name, std::string_view element) {
    const Partner* found = account_.find_partner(name);
    if (found == nullptr)
      report(element, "the name of a partner of this account", in_quotes(name),
             "Add <partner name=\"...\"> or correct the name.");
    return found;
  }

  /// The direction's own identity, else the agreement's, else the partner's only one.
  std::string name(const Partner& owner, std::string_view own_path,
                   const std::optional<BusinessIdentity>& own, Side side) {
    if (own) return checked(owner, own_path, *own);
    const bool host = side == Side::Host;
    const std::optional<BusinessIdentity>& agreed =
        host ? agreement_.host_identity : agreement_.guest_identity;
    const std::string_view agreed_path = host ? "hostIdentity" : "guestIdentity";
    if (agreed) return checked(owner, agreed_path, *agreed);
    return only_identity(owner, agreed_path);
  }

  std::string checked(const Partner& owner, std::string_view path, const BusinessIdentity& identity) {
    const auto& known = owner.business_identities;
    if (!is_as2_identity(identity))
      report(path, fmt::format("an identity with the qualifier {}", kAs2Qualifier),
             in_quotes(identity.qualifier), "Only these go into AS2-From and AS2-To.");
    else if (std::none_of(known.begin(), known.end(),
                          [&](const auto& k) { return same_identity(k, identity); }))
      report(path, fmt::format("an identity of the partner '{}'", owner.name), in_quotes(identity.value),
             "Add it to the partner's businessIdentities, or name one that is there.");
    return as2_name(path, identity.value);
  }

  std::string only_identity(const Partner& owner, std::string_view path) {
    const BusinessIdentity* only = nullptr;
    std::size_t count = 0;
    for (const BusinessIdentity& identity : owner.business_identities) {
      if (!is_as2_identity(identity)) continue;
      only = &identity;
      ++count;
    }
    if (count == 1) return as2_name(path, only->value);
    report(path, fmt::format("exactly one {} of the partner '{}', or <{}>", kAs2Qualifier, owner.name, path),
           count == 0 ? "none" : fmt::format("{} of them", count),
           count == 0 ? "Give the partner an AS2 name." : "Say which one this agreement uses.");
    return {};
  }

  std::string as2_name(std::string_view path, const std::string& value) {
    if (!is_as2_name(value))
      report(path, "an AS2 name: 1 to 128 printable ASCII characters, no space at either end",
             in_quotes(value), "RFC 4130 section 6.2 allows no others.");
    return value;
  }

  /// A name that both directions share is wrong only once.
  void report(std::string_view element, std::string expected, std::string found, std::string advice) {
    Problem problem{{},
                    0,
                    0,
                    fmt::format("agreement[{}]/{}", agreement_.name, element),
                    Severity::Error,
                    std::move(expected),
                    std::move(found),
                    std::move(advice)};
    auto& problems = result_.problems;
    if (std::find(problems.begin(), problems.end(), problem) == problems.end())
      problems.push_back(std::move(problem));
  }

  static std::string in_quotes(std::string_view text) { return "'" + printable(text, 140) + "'"; }

  const AccountIndex& account_;
  const Agreement& agreement_;
  Resolution& result_;
};

}  // namespace

bool same_identity(const BusinessIdentity& a, const BusinessIdentity& b) {
  return a.value == b.value && equal_ignoring_case(a.qualifier, b.qualifier);
}

bool is_as2_identity(const BusinessIdentity& identity) {
  return equal_ignoring_case(identity.qualifier, kAs2Qualifier);
}

Resolution resolve_names(const AccountIndex& account, const Agreement& agreement) {
  Resolution resolution{{agreement, {}, {}, {}, {}}, {}};
  NameResolver(account, agreement, resolution).resolve();
  return resolution;
}

}  // namespace signet::agreements

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "certstore/authority/actor.h"
#include "certstore/x509/validity.h"

/// Applications: those for whom certificates are issued. Registered, then approved by somebody else.

namespace signet::authority {

enum class OpcUaType { Server, Client, ClientAndServer, DiscoveryServer };
/// "server", "client", "clientAndServer", "discoveryServer".
std::string_view to_string(OpcUaType type);
/// @error InvalidInput  lists those there are.
Result<OpcUaType> parse_opc_ua_type(std::string_view text);

struct LocalizedText {
  std::string locale;  ///< "en-US"; may be empty
  std::string text;

  friend bool operator==(const LocalizedText&, const LocalizedText&) = default;
};

/// An OPC UA application, in the words of ApplicationDescription (OPC 10000-4 section 7.2) and of
/// ApplicationRecordDataType (OPC 10000-12 section 6.5.5).
struct OpcUaApplication {
  std::string uri;                   ///< applicationUri, absolute; stands in every certificate
  std::vector<LocalizedText> names;  ///< 1 to 100; the first one is the name that lists show
  std::string product_uri;           ///< absolute
  OpcUaType type = OpcUaType::Server;
  std::vector<std::string> discovery_urls;  ///< absolute; at least one, but none of a client alone
  std::vector<std::string> capabilities;    ///< "DA", "HD", "NA"...; at least one, but none of a client alone
  std::string gateway_server_uri;           ///< may be empty
  std::string discovery_profile_uri;        ///< may be empty

  friend bool operator==(const OpcUaApplication&, const OpcUaApplication&) = default;
};

/// A partner's AS2 station.
struct As2Station {
  std::string as2_name;                   ///< 1 to 128 characters, as in AS2-From (RFC 4130 section 6.2)
  std::string url;                        ///< absolute, http or https; its host stands in certificates
  std::set<certstore::Purpose> purposes;  ///< at least one: decides the key usage of its certificates

  friend bool operator==(const As2Station&, const As2Station&) = default;
};

using ApplicationDescription = std::variant<OpcUaApplication, As2Station>;

/// "sign", "encrypt", "tls".
std::string_view to_string(certstore::Purpose purpose);
/// @error InvalidInput  lists those there are.
Result<certstore::Purpose> parse_purpose(std::string_view text);

/// @error InvalidInput  says which member, what came and what is expected.
Result<> check_application(const ApplicationDescription& description);
/// The URI by which it is known: applicationUri, or the URL of a station.
const std::string& uri_of(const ApplicationDescription& description);
/// The name that lists show.
const std::string& name_of(const ApplicationDescription& description);

enum class ApplicationState {
  New,
  Approved,  ///< gets certificates
  Rejected,
  Unregistered,  ///< its certificates are to be revoked
};
/// "new", "approved", "rejected", "unregistered".
std::string_view to_string(ApplicationState state);
/// Reads them in any case. @error InvalidInput  lists those there are.
Result<ApplicationState> parse_application_state(std::string_view text);

struct Application {
  std::string id;           ///< a GUID of the service's making
  std::int64_t record = 0;  ///< the store's: grows with each registration and never comes again
  ApplicationDescription description;
  ApplicationState state = ApplicationState::New;
  Stamp registered;
  Stamp changed;  ///< by its last editor; as `registered` when there was none
  std::optional<Stamp> approved;
  std::optional<Stamp> rejected;
  std::optional<Stamp> unregistered;
  std::string reason;         ///< of the rejection
  std::int64_t revision = 0;  ///< the store's, for changes that rely on what was read
};

/// Which applications are wanted; what is empty or absent is not asked about. Texts may have the patterns of
/// OPC 10000-12 section 6.5.11: % any text, _ one character, [13-68], [^abc], \ takes the next one literally.
/// Without regard to ASCII case.
struct ApplicationFilter {
  std::string name;
  std::string uri;
  std::string product_uri;
  std::optional<OpcUaType> type;
  std::vector<std::string> capabilities;                             ///< has all of them
  std::set<ApplicationState> states = {ApplicationState::Approved};  ///< all, when empty
};

}  // namespace signet::authority

#include <algorithm>

#include "base/random.h"
#include "certstore/authority/authority_internal.h"
#include "certstore/authority/limits_internal.h"
#include "certstore/authority/pattern_internal.h"

/// Applications: registered by one, approved by another.

namespace signet::authority {
namespace {

std::string transition(const Application& before, ApplicationState after) {
  return fmt::format("{} -> {}: '{}' '{}'", to_string(before.state), to_string(after),
                     name_of(before.description), uri_of(before.description));
}

/// Whoever decides has neither registered it nor edited it last.
Result<> check_decider(const Actor& actor, const Application& application) {
  SIGNET_CHECK(check_is_another(actor, application.registered, "registered this application"));
  return check_is_another(actor, application.changed, "edited this application last");
}

Result<> check_is_new(const Application& application, std::string_view verb) {
  if (application.state == ApplicationState::New) return {};
  return fail(wrong_state(object_name("application", application.id), application.state, verb, "new"));
}

/// What the end of its application makes of a request: one that holds nothing any more, or one whose
/// certificate waits to be revoked.
Request ended(Request request, const Stamp& stamp) {
  switch (request.state) {
    case RequestState::New:
    case RequestState::Rejected:
    case RequestState::Failed:
      request.state = RequestState::Removed;
      request.removed = stamp;
      request.signing_request.clear();
      break;
    case RequestState::Approved:
    case RequestState::Accepted:
      if (!request.revocation_requested) {
        request.revocation_requested = stamp;
        request.revocation_reason = RevocationReason::CessationOfOperation;
      }
      break;
    case RequestState::Revoked:
    case RequestState::Removed:
      break;
  }
  request.password.reset();
  request.key_file.reset();
  return request;
}

bool has_all(const std::vector<std::string>& there, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& one) {
    return std::any_of(there.begin(), there.end(),
                       [&](const std::string& other) { return equal_ignoring_case(one, other); });
  });
}

/// A filter with its patterns read.
class Selection {
 public:
  /// @error InvalidInput  a pattern that is none.
  static Result<Selection> of(const ApplicationFilter& filter) {
    Selection selection(filter);
    SIGNET_TRY(selection.name_, Pattern::parse(filter.name));
    SIGNET_TRY(selection.uri_, Pattern::parse(filter.uri));
    SIGNET_TRY(selection.product_uri_, Pattern::parse(filter.product_uri));
    return selection;
  }

  [[nodiscard]] bool takes(const Application& application) const {
    if (!filter_.states.empty() && filter_.states.count(application.state) == 0) return false;
    if (!name_.matches(name_of(application.description)) || !uri_.matches(uri_of(application.description)))
      return false;
    const auto* opc_ua = std::get_if<OpcUaApplication>(&application.description);
    const bool asks_for_opc_ua =
        !filter_.product_uri.empty() || filter_.type.has_value() || !filter_.capabilities.empty();
    if (opc_ua == nullptr) return !asks_for_opc_ua;
    return product_uri_.matches(opc_ua->product_uri) && (!filter_.type || *filter_.type == opc_ua->type) &&
           has_all(opc_ua->capabilities, filter_.capabilities);
  }

 private:
  explicit Selection(const ApplicationFilter& filter) : filter_(filter) {}
  const ApplicationFilter& filter_;  ///< borrowed
  Pattern name_;
  Pattern uri_;
  Pattern product_uri_;
};

}  // namespace

Result<Application> Authority::register_application(const Actor& actor,
                                                    const ApplicationDescription& description) {
  const std::string id = random_guid();
  const Verb verb{actor, Right::Write, "registerApplication", object_name("application", id)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Application> {
    SIGNET_CHECK(check_application(description));
    Application made;
    made.id = id;
    made.description = description;
    made.registered = made.changed = step.stamp();
    SIGNET_CHECK(step.commit({.applications = {made}},
                             fmt::format("'{}' '{}'", name_of(description), uri_of(description))));
    return implementation_->store().application(id);
  });
}

Result<Application> Authority::change_application(const Actor& actor, std::string_view id,
                                                  const ApplicationDescription& description,
                                                  std::int64_t revision) {
  const Verb verb{actor, Right::Write, "changeApplication", object_name("application", id)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Application> {
    SIGNET_TRY(const Application before, implementation_->store().application(id));
    if (revision != 0 && revision != before.revision)
      return fail(ErrorKind::AlreadyExists, "the application was changed since it was read: read it again");
    if (before.state != ApplicationState::New && before.state != ApplicationState::Approved)
      return fail(wrong_state(verb.object, before.state, "changed", "new or approved"));
    if (before.description.index() != description.index())
      return fail(ErrorKind::AlreadyExists,
                  "an OPC UA application stays one, and an AS2 station too: register another application");
    SIGNET_CHECK(check_application(description));
    Application after = before;
    after.description = description;
    after.state = ApplicationState::New;
    after.changed = step.stamp();
    after.approved.reset();
    SIGNET_CHECK(step.commit({.applications = {after}},
                             transition(before, after.state) +
                                 fmt::format(" -> '{}' '{}'", name_of(description), uri_of(description))));
    return implementation_->store().application(id);
  });
}

Result<Application> Authority::approve_application(const Actor& actor, std::string_view id) {
  const Verb verb{actor, Right::Administrate, "approveApplication", object_name("application", id)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Application> {
    SIGNET_TRY(const Application before, implementation_->store().application(id));
    SIGNET_CHECK(check_decider(actor, before));
    SIGNET_CHECK(check_is_new(before, "approved"));
    Application after = before;
    after.state = ApplicationState::Approved;
    after.approved = step.stamp();
    SIGNET_CHECK(step.commit({.applications = {after}}, transition(before, after.state)));
    return implementation_->store().application(id);
  });
}

Result<Application> Authority::reject_application(const Actor& actor, std::string_view id,
                                                  std::string_view reason) {
  const Verb verb{actor, Right::Administrate, "rejectApplication", object_name("application", id)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Application> {
    SIGNET_TRY(const Application before, implementation_->store().application(id));
    SIGNET_CHECK(check_decider(actor, before));
    SIGNET_CHECK(check_is_new(before, "rejected"));
    Application after = before;
    SIGNET_TRY(after.reason, checked_reason(reason));
    after.state = ApplicationState::Rejected;
    after.rejected = step.stamp();
    SIGNET_CHECK(
        step.commit({.applications = {after}}, transition(before, after.state) + ": " + after.reason));
    return implementation_->store().application(id);
  });
}

Result<Application> Authority::unregister_application(const Actor& actor, std::string_view id) {
  const Verb verb{actor, Right::Write, "unregisterApplication", object_name("application", id)};
  std::vector<std::optional<vault::SecretId>> left_over;
  auto result = implementation_->perform(verb, [&](Implementation::Step& step) -> Result<Application> {
    left_over.clear();
    SIGNET_TRY(const Application before, implementation_->store().application(id));
    if (before.state == ApplicationState::Unregistered)
      return fail(wrong_state(verb.object, before.state, "unregistered", "new, approved or rejected"));
    Change change;
    change.applications = {before};
    change.applications.front().state = ApplicationState::Unregistered;
    change.applications.front().unregistered = step.stamp();
    SIGNET_TRY(const auto requests, all_requests(implementation_->store(), {.application = before.id}));
    change.all_requests_of = {before.id, requests.empty() ? 0 : requests.back().record};
    for (const Request& request : requests) {
      left_over.push_back(request.password);
      left_over.push_back(request.key_file);
      change.requests.push_back(ended(request, step.stamp()));
    }
    SIGNET_CHECK(step.commit(change, transition(before, ApplicationState::Unregistered) +
                                         fmt::format(", with {} requests", requests.size())));
    return implementation_->store().application(id);
  });
  if (result)
    for (const auto& secret : left_over) implementation_->destroy(secret);
  return result;
}

Result<> Authority::remove_application(const Actor& actor, std::string_view id) {
  const Verb verb{actor, Right::Administrate, "removeApplication", object_name("application", id)};
  return implementation_->perform(verb, [&](Implementation::Step& step) -> Result<> {
    SIGNET_TRY(const Application before, implementation_->store().application(id));
    if (before.state != ApplicationState::Unregistered)
      return fail(wrong_state(verb.object, before.state, "removed", "unregistered"));
    return step.commit({.removed_applications = {before}},
                       fmt::format("'{}' '{}'", name_of(before.description), uri_of(before.description)));
  });
}

Result<Application> Authority::application(const Actor& actor, std::string_view id) {
  SIGNET_CHECK(
      implementation_->admit({actor, Right::Look, "getApplication", object_name("application", id)}));
  return implementation_->store().application(id);
}

Result<Page<Application>> Authority::applications(const Actor& actor, const ApplicationFilter& filter,
                                                  const PageRequest& page) {
  SIGNET_CHECK(implementation_->admit({actor, Right::Look, "listApplications", "applications"}));
  SIGNET_CHECK(check_page(page));
  SIGNET_TRY(const Selection wanted, Selection::of(filter));
  Page<Application> found;
  for (std::int64_t after = page.after;;) {
    SIGNET_TRY(const auto some, implementation_->store().applications(after, kAtOnce));
    for (const Application& application : some) {
      const bool is_wanted = wanted.takes(application);
      if (is_wanted && found.items.size() == page.size) {
        found.next = found.items.back().record;
        return found;
      }
      if (is_wanted) found.items.push_back(application);
    }
    if (some.size() < kAtOnce) return found;
    after = some.back().record;
  }
}

}  // namespace signet::authority

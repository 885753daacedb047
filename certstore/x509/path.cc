#include "certstore/x509/path.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/crl_internal.h"
#include "certstore/x509/object_identifier_internal.h"
#include "certstore/x509/path_internal.h"

namespace signet::certstore {
namespace {

void free_crl_stack(STACK_OF(X509_CRL) * stack) { sk_X509_CRL_pop_free(stack, X509_CRL_free); }

using StorePtr = Handle<X509_STORE, X509_STORE_free>;
using ContextPtr = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
using CrlStackPtr = Handle<STACK_OF(X509_CRL), free_crl_stack>;

constexpr std::size_t kMostGiven = 100;
constexpr int kMostBetween = 8;
constexpr int kMostSigners = 8;        // of a list, by name
constexpr int kBitsOfSecurity112 = 2;  // OpenSSL's level: RSA of 2048 bits, no SHA-1

Result<> check_question(const PathQuestion& question) {
  if (question.anchors.empty())
    return fail(ErrorKind::InvalidInput, "no certificate is trusted: give one that a path may end at");
  for (const std::size_t count :
       {question.anchors.size(), question.intermediates.size(), question.lists.size()})
    if (count > kMostGiven)
      return fail(ErrorKind::LimitExceeded,
                  fmt::format("{} certificates or lists to check a path with; at most {} of a kind are taken",
                              count, kMostGiven));
  return {};
}

bool push(STACK_OF(X509) * stack, const Certificate& certificate) {
  if (sk_X509_push(stack, certificate.native()) <= 0) return false;
  X509_up_ref(certificate.native());
  return true;
}

bool push(STACK_OF(X509_CRL) * stack, const Crl& list) {
  if (sk_X509_CRL_push(stack, list.native()) <= 0) return false;
  X509_CRL_up_ref(list.native());
  return true;
}

/// Whether a certificate's name and key identifier are those that a list gives for its signer's.
bool may_have_signed(const Certificate& candidate, const Crl& list) {
  if (candidate.public_key() == nullptr ||
      X509_NAME_cmp(X509_get_subject_name(candidate.native()), X509_CRL_get_issuer(list.native())) != 0)
    return false;
  return identifiers_match(subject_key_identifier_of(candidate.native()), list.authority_key_id());
}

/// Whether it is by anybody's key who goes by its issuer's name: may he sign lists is asked later. Each try
/// reads all of the list, so there are not many.
bool is_signed_by_one_of(const Crl& list, const std::vector<Certificate>& candidates) {
  const OwnErrors errors;
  int tries = 0;
  for (const Certificate& one : candidates)
    if (may_have_signed(one, list) && ++tries <= kMostSigners &&
        X509_CRL_verify(list.native(), one.public_key()) == 1)
      return true;
  return false;
}

/// A forged list must not stand in the way of the true one, which OpenSSL would look at no more.
Result<CrlStackPtr> lists_that_count(const PathQuestion& question, PathStrength strength) {
  CrlStackPtr stack(sk_X509_CRL_new_null());
  for (const Crl& list : question.lists) {
    if (strength == PathStrength::Today && !check_list_signature_algorithm(list)) continue;
    if (!is_signed_by_one_of(list, question.anchors) && !is_signed_by_one_of(list, question.intermediates))
      continue;
    if (!stack || !push(stack.get(), list))
      return fail(take_openssl_error(ErrorKind::Internal, "taking a list"));
  }
  return stack;
}

Result<StorePtr> store_of(const std::vector<Certificate>& anchors) {
  StorePtr store(X509_STORE_new());
  for (const Certificate& anchor : anchors)
    if (!store || X509_STORE_add_cert(store.get(), anchor.native()) != 1)
      return fail(take_openssl_error(ErrorKind::Internal, "taking a trust anchor"));
  return store;
}

Result<X509StackPtr> stack_of(const std::vector<Certificate>& certificates) {
  X509StackPtr stack(sk_X509_new_null());
  for (const Certificate& certificate : certificates)
    if (!stack || !push(stack.get(), certificate))
      return fail(take_openssl_error(ErrorKind::Internal, "taking an intermediate"));
  return stack;
}

unsigned long flags_of(const PathQuestion& question) {
  // Any anchor ends a path; lists may be signed by another key of their issuer's.
  unsigned long flags = X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK |
                        X509_V_FLAG_EXTENDED_CRL_SUPPORT;
  if (question.revocation != RevocationCheck::None) flags |= X509_V_FLAG_CRL_CHECK;
  if (question.revocation == RevocationCheck::WholePath) flags |= X509_V_FLAG_CRL_CHECK_ALL;
  if (question.policies.require_explicit) flags |= X509_V_FLAG_EXPLICIT_POLICY;
  if (question.policies.inhibit_mapping) flags |= X509_V_FLAG_INHIBIT_MAP;
  if (question.policies.inhibit_any) flags |= X509_V_FLAG_INHIBIT_ANY;
  return flags;
}

std::optional<int> purpose_of(PathPurpose purpose) {
  switch (purpose) {
    case PathPurpose::Any:
      break;
    case PathPurpose::TlsServer:
      return X509_PURPOSE_SSL_SERVER;
    case PathPurpose::TlsClient:
      return X509_PURPOSE_SSL_CLIENT;
    case PathPurpose::MailSigning:
      return X509_PURPOSE_SMIME_SIGN;
    case PathPurpose::MailEncryption:
      return X509_PURPOSE_SMIME_ENCRYPT;
  }
  return std::nullopt;
}

/// OpenSSL takes no policies for none that is acceptable, where one is demanded; this one for any.
constexpr std::string_view kAnyPolicy = "2.5.29.32.0";

Result<> add_policy(X509_VERIFY_PARAM* parameters, std::string_view policy) {
  Asn1ObjectPtr object = parse_object_identifier(policy);
  if (!object)
    return fail(ErrorKind::InvalidInput,
                fmt::format("'{}' is no object identifier of a certificate policy such as "
                            "'2.16.840.1.101.3.2.1.48.1'",
                            printable(policy)));
  if (X509_VERIFY_PARAM_add0_policy(parameters, object.get()) != 1)
    return fail(take_openssl_error(ErrorKind::Internal, "setting a certificate policy"));
  static_cast<void>(object.release());
  return {};
}

Result<> set_parameters(X509_VERIFY_PARAM* parameters, const PathQuestion& question, PathStrength strength) {
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::system_clock::to_time_t(question.time));
  X509_VERIFY_PARAM_set_depth(parameters, kMostBetween);
  X509_VERIFY_PARAM_set_auth_level(parameters, strength == PathStrength::Today ? kBitsOfSecurity112 : 0);
  const std::optional<int> purpose = purpose_of(question.purpose);
  if (X509_VERIFY_PARAM_set_flags(parameters, flags_of(question)) != 1 ||
      (purpose && X509_VERIFY_PARAM_set_purpose(parameters, *purpose) != 1))
    return fail(take_openssl_error(ErrorKind::Internal, "setting how a path is checked"));
  for (const std::string& policy : question.policies.acceptable) SIGNET_CHECK(add_policy(parameters, policy));
  if (!question.policies.acceptable.empty()) return {};
  return add_policy(parameters, kAnyPolicy);
}

/// Of a trust anchor nobody asks for a list; OpenSSL does. Keeps no state, since OpenSSL calls it for the
/// paths of lists' signers, too.
int pass_over_the_anchors_list(int good, X509_STORE_CTX* context) {
  if (good == 1 || X509_STORE_CTX_get_error(context) != X509_V_ERR_UNABLE_TO_GET_CRL) return good;
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(context);
  const int last = sk_X509_num(chain) - 1;
  X509* const current = X509_STORE_CTX_get_current_cert(context);
  const bool is_anchor = X509_STORE_CTX_get_error_depth(context) == last && current != nullptr;
  if (!is_anchor || (last == 0 && X509_self_signed(current, 0) != 1)) return good;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

std::vector<Certificate> path_of(X509_STORE_CTX* context) {
  std::vector<Certificate> path;
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(context);
  for (int i = 0; i < sk_X509_num(chain); ++i)
    if (const auto der = encode<X509>(sk_X509_value(chain, i), i2d_X509))
      if (auto certificate = Certificate::parse(*der)) path.push_back(*std::move(certificate));
  return path;
}

PathVerdict verdict_of(X509_STORE_CTX* context, const Certificate& certificate) {
  PathVerdict verdict;
  verdict.path = path_of(context);
  const int code = X509_STORE_CTX_get_error(context);
  const auto depth = static_cast<std::size_t>(std::max(X509_STORE_CTX_get_error_depth(context), 0));
  const Certificate& about = depth < verdict.path.size() ? verdict.path[depth] : certificate;
  const auto [problem, words] = explain_path_error(code);
  verdict.problem = problem;
  verdict.text = fmt::format("certificate '{}', issued by '{}', {}", printable_name(about.subject()),
                             printable_name(about.issuer()), words);
  return verdict;
}

/// What OpenSSL's security level leaves to us: kinds of keys and their curves.
PathVerdict trusted_unless_weak(std::vector<Certificate> path, PathStrength strength) {
  PathVerdict verdict{PathProblem::None, {}, std::move(path)};
  if (strength == PathStrength::Today)
    for (const Certificate& certificate : verdict.path)
      if (const auto strong = check_key_strength(certificate); !strong)
        return {PathProblem::WeakKey, strong.error().detail, std::move(verdict.path)};
  verdict.text =
      fmt::format("certificate '{}' is trusted through '{}'", printable_name(verdict.path.front().subject()),
                  printable_name(verdict.path.back().subject()));
  return verdict;
}

}  // namespace

Result<PathVerdict> check_path(const Certificate& certificate, const PathQuestion& question) {
  return judge_path(certificate, question, PathStrength::Today);
}

Result<PathVerdict> judge_path(const Certificate& certificate, const PathQuestion& question,
                               PathStrength strength) {
  const OwnErrors errors;
  SIGNET_CHECK(check_question(question));
  SIGNET_TRY(const StorePtr store, store_of(question.anchors));
  SIGNET_TRY(const X509StackPtr intermediates, stack_of(question.intermediates));
  SIGNET_TRY(const CrlStackPtr lists, lists_that_count(question, strength));
  const ContextPtr context(X509_STORE_CTX_new());
  if (!context ||
      X509_STORE_CTX_init(context.get(), store.get(), certificate.native(), intermediates.get()) != 1)
    return fail(take_openssl_error(ErrorKind::Internal, "checking a path"));
  SIGNET_CHECK(set_parameters(X509_STORE_CTX_get0_param(context.get()), question, strength));
  X509_STORE_CTX_set0_crls(context.get(), lists.get());
  X509_STORE_CTX_set_verify_cb(context.get(), pass_over_the_anchors_list);
  const bool good = X509_verify_cert(context.get()) == 1;
  if (!good && X509_STORE_CTX_get_error(context.get()) == X509_V_ERR_OUT_OF_MEM)
    return fail(take_openssl_error(ErrorKind::Internal, "checking a path"));
  if (!good) return verdict_of(context.get(), certificate);
  return trusted_unless_weak(path_of(context.get()), strength);
}

}  // namespace signet::certstore

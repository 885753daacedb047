#include "certstore/x509/publication.h"

#include <fmt/format.h>

#include <algorithm>

#include "certstore/x509/asn1_internal.h"
#include "certstore/x509/publication_internal.h"

namespace signet::certstore {
namespace {

using AccessPtr = Handle<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;
using PointsPtr = Handle<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;

constexpr std::size_t kMostUrls = 16;
constexpr std::size_t kLongestUrl = 1000;

bool is_url(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos || text.size() > kLongestUrl) return false;
  const std::string scheme = to_lower(text.substr(0, scheme_end));
  const std::string_view rest = text.substr(scheme_end + 3);
  return (scheme == "http" || scheme == "https") && !rest.empty() && rest.front() != '/' &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<> check_urls(const std::vector<std::string>& urls, std::string_view what) {
  if (urls.size() > kMostUrls)
    return fail(ErrorKind::InvalidInput,
                fmt::format("{} URLs of {}; at most {} are taken", urls.size(), what, kMostUrls));
  for (const std::string& url : urls)
    if (!is_url(url))
      return fail(ErrorKind::InvalidInput,
                  fmt::format("'{}' is no URL of {}: one of http or https is wanted, such as "
                              "'http://pki.acme.example/acme.crl'",
                              printable(url), what));
  return {};
}

DIST_POINT* point_at(const std::string& url) {
  Handle<DIST_POINT, DIST_POINT_free> point(DIST_POINT_new());
  GeneralNamePtr name = ia5_name(GEN_URI, url);
  if (!point || !name) return nullptr;
  point->distpoint = DIST_POINT_NAME_new();
  if (point->distpoint == nullptr) return nullptr;
  point->distpoint->type = 0;  // fullName
  point->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
  if (sk_GENERAL_NAME_push(point->distpoint->name.fullname, name.get()) <= 0) return nullptr;
  static_cast<void>(name.release());
  return point.release();
}

Result<> add_points(STACK_OF(X509_EXTENSION) * extensions, const std::vector<std::string>& urls) {
  if (urls.empty()) return {};
  const PointsPtr points(sk_DIST_POINT_new_null());
  for (const std::string& url : urls) {
    Handle<DIST_POINT, DIST_POINT_free> point(point_at(url));
    if (!points || !point || sk_DIST_POINT_push(points.get(), point.get()) <= 0)
      return fail(take_openssl_error(ErrorKind::Internal, "making distribution points"));
    static_cast<void>(point.release());
  }
  return add_extension(extensions, NID_crl_distribution_points, Critical::No, points.get());
}

bool add_access(AUTHORITY_INFO_ACCESS* to, int method, const std::string& url) {
  Handle<ACCESS_DESCRIPTION, ACCESS_DESCRIPTION_free> access(ACCESS_DESCRIPTION_new());
  GeneralNamePtr name = ia5_name(GEN_URI, url);
  if (!access || !name) return false;
  ASN1_OBJECT_free(access->method);
  access->method = OBJ_nid2obj(method);
  GENERAL_NAME_free(access->location);
  access->location = name.release();
  if (sk_ACCESS_DESCRIPTION_push(to, access.get()) <= 0) return false;
  static_cast<void>(access.release());
  return true;
}

Result<> add_accesses(STACK_OF(X509_EXTENSION) * extensions, const Publication& publication) {
  if (publication.issuer_urls.empty() && publication.ocsp_urls.empty()) return {};
  const AccessPtr accesses(sk_ACCESS_DESCRIPTION_new_null());
  bool good = accesses != nullptr;
  for (const std::string& url : publication.ocsp_urls)
    good = good && add_access(accesses.get(), NID_ad_OCSP, url);
  for (const std::string& url : publication.issuer_urls)
    good = good && add_access(accesses.get(), NID_ad_ca_issuers, url);
  if (!good) return fail(take_openssl_error(ErrorKind::Internal, "making authority information access"));
  return add_extension(extensions, NID_info_access, Critical::No, accesses.get());
}

void read_url(const GENERAL_NAME* name, std::vector<std::string>& into) {
  if (name->type != GEN_URI || into.size() == kMostUrls) return;
  const ASN1_IA5STRING* const text = name->d.uniformResourceIdentifier;
  const std::string url(
      as_text({ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text))}));
  if (is_url(url)) into.push_back(url);
}

/// A point for some reasons alone, or whose list another authority signs, is none of ours [RFC5280 4.2.1.13].
void read_point(const DIST_POINT* point, std::vector<std::string>& into) {
  constexpr int kFullName = 0;
  if (point->reasons != nullptr || point->CRLissuer != nullptr || point->distpoint == nullptr ||
      point->distpoint->type != kFullName)
    return;
  const GENERAL_NAMES* const names = point->distpoint->name.fullname;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) read_url(sk_GENERAL_NAME_value(names, i), into);
}

}  // namespace

Result<> check_publication(const Publication& publication) {
  SIGNET_CHECK(check_urls(publication.crl_urls, "a revocation list"));
  SIGNET_CHECK(check_urls(publication.issuer_urls, "an issuer's certificate"));
  return check_urls(publication.ocsp_urls, "an OCSP responder");
}

Result<> add_publication(STACK_OF(X509_EXTENSION) * extensions, const Publication& publication) {
  SIGNET_CHECK(check_publication(publication));
  SIGNET_CHECK(add_points(extensions, publication.crl_urls));
  return add_accesses(extensions, publication);
}

Publication publication_of(const Certificate& certificate) {
  const OwnErrors errors;  // extensions that cannot be read say nothing
  Publication publication;
  const X509* const x509 = certificate.native();
  const PointsPtr points(
      static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(x509, NID_crl_distribution_points, nullptr, nullptr)));
  for (int i = 0; i < sk_DIST_POINT_num(points.get()); ++i)
    read_point(sk_DIST_POINT_value(points.get(), i), publication.crl_urls);
  const AccessPtr accesses(
      static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(x509, NID_info_access, nullptr, nullptr)));
  for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(accesses.get()); ++i) {
    const ACCESS_DESCRIPTION* const access = sk_ACCESS_DESCRIPTION_value(accesses.get(), i);
    const int method = OBJ_obj2nid(access->method);
    if (method == NID_ad_ca_issuers) read_url(access->location, publication.issuer_urls);
    if (method == NID_ad_OCSP) read_url(access->location, publication.ocsp_urls);
  }
  return publication;
}

}  // namespace signet::certstore

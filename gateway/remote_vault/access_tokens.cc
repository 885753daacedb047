#include "gateway/remote_vault/access_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/json_texts.h"
#include "base/percent_encoding.h"
#include "base/wipe_text.h"
#include "gateway/endpoint/http_client.h"
#include "gateway/remote_vault/answer_json.h"
#include "gateway/remote_vault/challenge.h"

namespace signet::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kTokenPath = "/oauth2/v2.0/token";  ///< below the authority, as Entra has it
constexpr std::size_t kLargestTokenAnswer = 64 * 1024;
constexpr seconds kLongestFetch{10};
constexpr seconds kShortestFetch{1};
/// How long before its end a token is not used any more; of a short-lived one, at most half of its life.
constexpr seconds kSpare{300};
/// How long nobody asks again after an authority did not answer, or refused us.
constexpr seconds kPause{2};
constexpr std::int64_t kDefaultLife = 300;     ///< seconds, where the authority says nothing
constexpr std::int64_t kLongestLife = 86'400;  ///< whatever it says

/// Whatever reading the file gave: without it the vault cannot be asked, and that is ours to mend.
Error cannot_use(Error error) {
  error.kind = ErrorKind::PermissionDenied;
  return error;
}

class TokenOfFile final : public AccessTokens {
 public:
  explicit TokenOfFile(std::filesystem::path file) : file_(std::move(file)) {}

  Result<std::optional<AccessToken>> token(Steady::time_point) override {
    auto line = read_secret_line(file_);
    if (!line) return fail(cannot_use(std::move(line).error()));
    return AccessToken{*std::move(line), true};
  }
  Result<> challenged(std::string_view, const std::optional<AccessToken>&) override { return {}; }
  [[nodiscard]] std::string describe() const override { return "the token in " + file_.string(); }

 private:
  const std::filesystem::path file_;
};

/// application/x-www-form-urlencoded
void append_field(Bytes& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form.push_back('&');
  append_percent_encoded(form, name);
  form.push_back('=');
  append_percent_encoded(form, value);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

class TokensOfAuthority final : public AccessTokens {
 public:
  TokensOfAuthority(const VaultLink& link, HttpClient& client, const TlsTrust& trust)
      : link_(link), client_(client), trust_(trust) {}

  Result<std::optional<AccessToken>> token(Steady::time_point deadline) override {
    const std::lock_guard lock(mutex_);  // one thread fetches, the others wait for what it gets
    if (!challenge_) return std::nullopt;
    const auto now = Steady::now();
    if (!token_.empty() && now < usable_until_)
      return AccessToken{SecretBytes::copy_of(token_.view()), false};
    if (failure_ && now < paused_until_) return fail(*failure_);
    auto fetched = fetch(deadline);
    failure_.reset();
    if (!fetched) {
      failure_ = fetched.error();
      paused_until_ = Steady::now() + kPause;
      return fail(std::move(fetched).error());
    }
    return AccessToken{SecretBytes::copy_of(token_.view()), true};
  }

  Result<> challenged(std::string_view field, const std::optional<AccessToken>& refused) override {
    SIGNET_TRY(Challenge challenge, read_challenge(field, link_.url));
    if (!is_at_or_below(challenge.authority, link_.authority))
      return fail(
          ErrorKind::PermissionDenied,
          fmt::format("it names the authority {}, and the link allows {}: the client's secret is shown to "
                      "no other; where that is right, link the vault again with --authority",
                      url_for_people(challenge.authority), link_.authority));
    const std::lock_guard lock(mutex_);
    const bool ours = refused && equal_in_constant_time(refused->value.view(), token_.view());
    if (ours || challenge != challenge_) token_ = SecretBytes();
    challenge_ = std::move(challenge);
    return {};
  }

  [[nodiscard]] std::string describe() const override {
    return fmt::format("the token of client '{}'", link_.client_id);
  }

 private:
  Result<> fetch(Steady::time_point deadline) {
    auto secret = read_secret_line(link_.client_secret_file);
    if (!secret) return fail(cannot_use(std::move(secret).error()));
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Steady::now());
    HttpPost post;
    post.url = challenge_->authority + std::string(kTokenPath);
    post.headers.add("Content-Type", "application/x-www-form-urlencoded");
    post.headers.add("Accept", "application/json");
    Bytes form;
    append_field(form, "grant_type", "client_credentials");
    append_field(form, "client_id", link_.client_id);
    append_field(form, "client_secret", as_text(secret->view()));
    append_field(form, "scope", challenge_->scope);
    post.body = Slice::of(std::move(form));
    post.trust = trust_;
    post.total_timeout = std::clamp<milliseconds>(left, kShortestFetch, kLongestFetch);
    post.connect_timeout = post.total_timeout;
    post.answer_limit = kLargestTokenAnswer;
    const auto answer = client_.post(post);
    if (!answer)
      return fail(ErrorKind::Unavailable,
                  fmt::format("no token for client '{}': {}", link_.client_id, answer.error().detail));
    return keep(*answer, *secret);
  }

  Result<> keep(const HttpAnswer& answer, const SecretBytes& secret) {
    auto read = read_object(answer.body);
    if (answer.status != 200) return fail(refusal(answer.status, read ? *read : json(), secret));
    std::string text = read ? text_of(*read, "access_token") : std::string();
    const auto life = read ? life_of(*read) : kDefaultLife;
    const bool bearer = read && equal_ignoring_case(text_of(*read, "token_type"), "Bearer");
    if (read) wipe_texts(*read);
    const bool usable = bearer && is_token(text);
    if (usable) {
      token_ = SecretBytes::copy_of(text);
      usable_until_ = Steady::now() + seconds(life) - std::min<seconds>(kSpare, seconds(life / 2));
    }
    wipe_text(text);
    if (usable) return {};
    return fail(
        ErrorKind::Unavailable,
        fmt::format("no token for client '{}': the answer of {} holds no bearer token (RFC 6749 section "
                    "5.1)",
                    link_.client_id, challenge_->authority));
  }

  static std::int64_t life_of(const json& answer) {
    const auto found = answer.find("expires_in");
    if (found == answer.end() || !found->is_number_integer()) return kDefaultLife;
    return std::clamp<std::int64_t>(found->get<std::int64_t>(), 1, kLongestLife);
  }

  /// RFC 6749 section 5.2. What the authority says may be an echo.
  [[nodiscard]] Error refusal(int status, const json& answer, const SecretBytes& secret) const {
    std::string says = text_of(answer, "error");
    if (const std::string more = text_of(answer, "error_description"); !more.empty()) says += ": " + more;
    Bytes encoded;  // as it was sent
    append_percent_encoded(encoded, as_text(secret.view()));
    if (says.find(as_text(secret.view())) != std::string::npos ||
        says.find(as_text(encoded)) != std::string::npos)
      says = "(what it says repeats the secret)";
    wipe(encoded);
    const bool passes = status == 429 || status >= 500;
    return {passes ? ErrorKind::Unavailable : ErrorKind::PermissionDenied,
            fmt::format("no token for client '{}': the authority {} answers {}{}{}", link_.client_id,
                        challenge_->authority, status, says.empty() ? "" : ": ", printable(says, 400))};
  }

  const VaultLink& link_;
  HttpClient& client_;
  const TlsTrust& trust_;

  std::mutex mutex_;
  std::optional<Challenge> challenge_;
  SecretBytes token_;
  Steady::time_point usable_until_{};
  std::optional<Error> failure_;
  Steady::time_point paused_until_{};
};

}  // namespace

std::unique_ptr<AccessTokens> make_access_tokens(const VaultLink& link, HttpClient& client,
                                                 const TlsTrust& trust) {
  if (link.by_token()) return std::make_unique<TokenOfFile>(link.token_file);
  return std::make_unique<TokensOfAuthority>(link, client, trust);
}

}  // namespace signet::gateway

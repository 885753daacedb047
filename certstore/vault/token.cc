#include <fmt/format.h>
#include <p11-kit/p11-kit.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/bytes.h"
#include "base/private_file.h"
#include "base/random.h"
#include "certstore/vault/token_internal.h"

namespace signet::vault {
namespace {

constexpr std::size_t kLongestPin = 255;

/// Managed by p11-kit: it initialises a module once, however many vaults use it, and tells it that there are
/// threads, which modules otherwise do not expect.
Result<CK_FUNCTION_LIST*> load_module(const TokenUri& uri) {
  p11_kit_be_quiet();
  CK_FUNCTION_LIST* const module = p11_kit_module_load(uri.module().c_str(), P11_KIT_MODULE_CRITICAL);
  if (module == nullptr) {
    const char* const why = p11_kit_message();
    return fail(ErrorKind::Unavailable,
                fmt::format("token '{}': the PKCS#11 module {} cannot be loaded: {}", uri.name(),
                            uri.module().string(), why != nullptr ? why : "p11-kit does not say why"));
  }
  if (const CK_RV initialised = p11_kit_module_initialize(module); initialised != CKR_OK) {
    p11_kit_module_release(module);
    return fail(ErrorKind::Unavailable, fmt::format("token '{}': the PKCS#11 module {} does not start: {}",
                                                    uri.name(), uri.module().string(), name_of(initialised)));
  }
  return module;
}

/// By which PIN each token lets this process in. Of a PIN there is a digest, under a key that ends with the
/// process.
class LogIns {
 public:
  static LogIns& of_this_process() {
    static LogIns known;
    return known;
  }

  /// Whether the PIN is the one that opened the token; `first`: it has just done so.
  bool is_by(const CK_TOKEN_INFO& token, const SecretBytes& pin, bool first) {
    std::string name;
    for (const ByteView part : {ByteView(token.label), ByteView(token.serialNumber)})
      name.append("\n").append(as_text(part));
    Bytes print = hmac_sha256(key_, pin.view());
    const std::lock_guard lock(mutex_);
    if (first) prints_.insert_or_assign(name, print);
    const auto known = prints_.find(name);
    return known != prints_.end() && equal_in_constant_time(known->second, print);
  }

 private:
  const Bytes key_ = random_bytes(digest_size(Hash::Sha256));
  std::mutex mutex_;
  std::map<std::string, Bytes> prints_;
};

}  // namespace

TokenSession::TokenSession(TokenSession&& other) noexcept
    : token_(std::exchange(other.token_, nullptr)),
      functions_(other.functions_),
      handle_(other.handle_),
      connection_(other.connection_),
      lost_(other.lost_) {}

TokenSession::~TokenSession() {
  if (token_ != nullptr) token_->give_back(*this);
}

Result<> TokenSession::check(std::string_view function, CK_RV value) {
  if (value == CKR_OK) return {};
  lost_ = lost_ || is_lost_connection(value);
  return fail(error(function, value));
}

Error TokenSession::error(std::string_view function, CK_RV value) const {
  return token_->error(function, value);
}

Error Token::error(std::string_view function, CK_RV value) const {
  return {ErrorKind::Unavailable,
          fmt::format("token '{}': {} gave {}", uri_.name(), function, name_of(value))};
}

Token::~Token() {
  disconnect();
  unload();
}

Result<> TokenSession::check_alive() {
  CK_SESSION_INFO session{};
  CK_TOKEN_INFO token{};
  CK_RV value = functions_->C_GetSessionInfo(handle_, &session);
  if (value == CKR_OK) value = functions_->C_GetTokenInfo(session.slotID, &token);
  if (value == CKR_OK && session.state != CKS_RW_USER_FUNCTIONS) value = CKR_USER_NOT_LOGGED_IN;
  if (value == CKR_OK) return {};
  lost_ = true;
  return fail(error("C_GetTokenInfo", value));
}

Result<> Token::check() {
  return use([](TokenSession& session) { return session.check_alive(); });
}

void Token::log_out() noexcept {
  const std::lock_guard lock(mutex_);
  disconnect();
  if (lent_ == 0) unload();
}

Result<TokenSession> Token::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    freed_.wait(lock, [this] { return is_lost_ ? lent_ == 0 : lent_ < kMostSessions; });
    if (!idle_.empty()) break;
    SIGNET_TRY(const std::optional<CK_SESSION_HANDLE> opened, open());
    if (opened) {
      idle_.push_back(*opened);
      break;
    }
    // The token has no more than are lent out: one of them comes back.
    freed_.wait(lock, [this] { return !idle_.empty() || lent_ == 0 || is_lost_; });
  }
  const CK_SESSION_HANDLE handle = idle_.back();
  idle_.pop_back();
  ++lent_;
  return TokenSession(*this, functions_, handle, connection_);
}

void Token::give_back(TokenSession& session) noexcept {
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (session.connection_ == connection_ && !session.lost_ && idle_.size() < kMostSessions) {
      idle_.push_back(session.handle_);
    } else {
      functions_->C_CloseSession(session.handle_);
      if (session.connection_ == connection_ && session.lost_) disconnect();
    }
  }
  freed_.notify_all();
}

/// Sessions that are lent out close when they come back.
void Token::disconnect() noexcept {
  for (const CK_SESSION_HANDLE session : idle_) functions_->C_CloseSession(session);
  idle_.clear();
  slot_.reset();
  logged_in_ = false;
  is_lost_ = functions_ != nullptr;
  ++connection_;
}

void Token::unload() noexcept {
  is_lost_ = false;
  if (functions_ == nullptr) return;
  p11_kit_module_finalize(functions_);
  p11_kit_module_release(functions_);
  functions_ = nullptr;
}

Result<std::optional<CK_SESSION_HANDLE>> Token::open() {
  idle_.reserve(kMostSessions);  // so that giving back never fails
  const bool was_connected = slot_.has_value();
  if (is_lost_) unload();  // nobody has a session: see take()
  auto opened = open_once();
  if (opened) return opened;
  disconnect();
  if (!was_connected || lent_ > 0) return opened;
  unload();
  opened = open_once();  // it may have been away for a moment
  if (!opened) disconnect();
  return opened;
}

Result<std::optional<CK_SESSION_HANDLE>> Token::open_once() {
  SIGNET_CHECK(load());
  if (!slot_) SIGNET_CHECK(find_slot());
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  const CK_RV opened =
      functions_->C_OpenSession(*slot_, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session);
  if (opened == CKR_SESSION_COUNT && lent_ > 0) return std::optional<CK_SESSION_HANDLE>();
  if (opened != CKR_OK) return fail(error("C_OpenSession", opened));
  if (logged_in_) return std::optional(session);
  auto let_in = log_in(session);
  if (let_in) return std::optional(session);
  functions_->C_CloseSession(session);
  return fail(std::move(let_in).error());
}

Result<> Token::load() {
  if (functions_ != nullptr) return {};
  SIGNET_TRY(functions_, load_module(uri_));
  return {};
}

Result<> Token::find_slot() {
  const UriPtr uri(p11_kit_uri_new());
  if (!uri) throw std::bad_alloc();
  if (p11_kit_uri_parse(uri_.token().c_str(), P11_KIT_URI_FOR_ANY, uri.get()) != P11_KIT_URI_OK)
    return fail(ErrorKind::Internal, "a PKCS#11 URI that was read once cannot be read again");
  unsigned long count = 0;
  CK_RV listed = functions_->C_GetSlotList(CK_TRUE, nullptr, &count);
  std::vector<CK_SLOT_ID> slots(count + 1);
  count = slots.size();
  if (listed == CKR_OK) listed = functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
  if (listed != CKR_OK) return fail(error("C_GetSlotList", listed));
  slots.resize(std::min<std::size_t>(count, slots.size()));
  for (const CK_SLOT_ID slot : slots) {
    CK_TOKEN_INFO token{};
    if (functions_->C_GetTokenInfo(slot, &token) != CKR_OK) continue;
    if (p11_kit_uri_match_token_info(uri.get(), &token) != 1) continue;
    if (slot_)
      return fail(ErrorKind::Unavailable,
                  fmt::format("token '{}': more than one token has this name in module {}: give them "
                              "different labels",
                              uri_.name(), uri_.module().string()));
    slot_ = slot;
  }
  if (slot_) return {};
  return fail(ErrorKind::Unavailable,
              fmt::format("token '{}' is not there: none of the {} tokens of module {} has this name",
                          uri_.name(), slots.size(), uri_.module().string()));
}

Result<SecretBytes> Token::read_pin() const {
  auto file = read_private_file(uri_.pin_file(), kLongestPin, "PIN file");
  if (!file)
    return fail(ErrorKind::Unavailable, fmt::format("token '{}': {}", uri_.name(), file.error().detail));
  std::size_t length = file->size();
  if (length > kLongestPin)
    return fail(ErrorKind::Unavailable, fmt::format("token '{}': PIN file {} holds more than {} octets",
                                                    uri_.name(), uri_.pin_file().string(), kLongestPin));
  while (length > 0 && (file->view()[length - 1] == '\n' || file->view()[length - 1] == '\r')) --length;
  return SecretBytes::copy_of(file->view().first(length));
}

/// A module has one log-in for the whole process, and looks at no PIN while it lasts: then the PIN has to be
/// the one that opened it.
Result<bool> Token::is_let_in(CK_SESSION_HANDLE session, CK_RV said, const SecretBytes& pin) const {
  if (said != CKR_OK && said != CKR_USER_ALREADY_LOGGED_IN) return false;
  CK_SESSION_INFO where{};
  CK_TOKEN_INFO token{};
  CK_RV asked = functions_->C_GetSessionInfo(session, &where);
  if (asked == CKR_OK) asked = functions_->C_GetTokenInfo(where.slotID, &token);
  if (asked != CKR_OK) return fail(error("C_GetTokenInfo", asked));
  const bool first = said == CKR_OK;
  if (LogIns::of_this_process().is_by(token, pin, first)) return true;
  return fail(ErrorKind::Unavailable,
              fmt::format("token '{}': the PIN of {} is not the one that this process is logged in with: let "
                          "all vaults of a token name the same PIN",
                          uri_.name(), uri_.pin_file().string()));
}

Result<> Token::log_in(CK_SESSION_HANDLE session) {
  SIGNET_TRY(SecretBytes pin, read_pin());
  if (!refused_pin_.empty() && equal_in_constant_time(pin.view(), refused_pin_.view()))
    return fail(ErrorKind::Unavailable,
                fmt::format("token '{}' refused the PIN of {}, which is not tried again before the file has "
                            "another one: too many tries would lock the token",
                            uri_.name(), uri_.pin_file().string()));
  const CK_RV let_in = functions_->C_Login(session, CKU_USER, pin.writable().data(), pin.size());
  SIGNET_TRY(const bool is_in, is_let_in(session, let_in, pin));
  if (is_in) {
    refused_pin_ = SecretBytes();
    logged_in_ = true;
    return {};
  }
  if (let_in == CKR_PIN_INCORRECT || let_in == CKR_PIN_INVALID || let_in == CKR_PIN_LEN_RANGE)
    refused_pin_ = std::move(pin);
  return fail(error("C_Login", let_in));
}

}  // namespace signet::vault

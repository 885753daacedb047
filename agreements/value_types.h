#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agreements/enum_names.h"
#include "agreements/model.h"
#include "agreements/xml.h"
#include "base/result.h"

/// Internal: how the values of settings are read and written. A codec has a Value; a Type that describes it;
/// write(); and read(), whose error says what was wrong where `found '<text>'` would not be enough, and is
/// empty otherwise.

namespace signet::agreements {

/// A kind of value, as docs/agreements.md and the XSD name it.
struct ValueType {
  std::string name;           ///< "boolean"; enums list their values
  std::string expected;       ///< completes "expected ..."
  std::string schema_name;    ///< name of the XSD's simple type, or an xs: one
  std::string schema_facets;  ///< content of its restriction; empty: schema_name is an xs: type
  std::string schema_base = "xs:token";

  /// Whether white space at the ends belongs to the value.
  [[nodiscard]] bool keeps_space() const { return schema_name == "xs:string" || schema_base == "xs:string"; }
};

struct BooleanCodec {
  using Value = bool;
  static ValueType type() { return {"boolean", "true or false", "xs:boolean", {}}; }
  static std::string write(bool value) { return value ? "true" : "false"; }
  static Result<> read(std::string_view text, bool& value, const ParseContext& context);
};

/// Any text, line ends and all.
struct TextCodec {
  using Value = std::string;
  static ValueType type() { return {"text", "text", "xs:string", {}}; }
  static std::string write(const std::string& value) { return value; }
  static Result<> read(std::string_view text, std::string& value, const ParseContext& context);
};

/// Text for one header field: no control characters, so that it cannot become two fields.
struct LineCodec : TextCodec {
  static ValueType type();
  static Result<> read(std::string_view text, std::string& value, const ParseContext& context);
};

/// A LineCodec that must say something.
struct WordsCodec : TextCodec {
  static ValueType type();
  static Result<> read(std::string_view text, std::string& value, const ParseContext& context);
};

/// Azure's rule for the names of account entries; also for vaults, keys and secrets.
struct NameCodec : TextCodec {
  static ValueType type();
  static Result<> read(std::string_view text, std::string& value, const ParseContext& context);
};

/// The value of a business identity: 1 to 128 printable ASCII characters (RFC 4130 section 6.2).
struct IdentityCodec : TextCodec {
  static ValueType type();
  static Result<> read(std::string_view text, std::string& value, const ParseContext& context);
};

/// An absolute http or https URL without a user name or password in it.
struct UrlCodec : TextCodec {
  static ValueType type();
  static Result<> read(std::string_view text, std::string& value, const ParseContext& context);
};

/// An IP network such as "10.0.0.0/8", or a single address.
struct NetworkCodec : TextCodec {
  static ValueType type();
  static Result<> read(std::string_view text, std::string& value, const ParseContext& context);
};

/// "type/subtype", with parameters if need be.
struct MediaTypeCodec : TextCodec {
  static ValueType type();
  static Result<> read(std::string_view text, std::string& value, const ParseContext& context);
};

/// A path that becomes absolute when it is read: relative ones stand beside the XML.
struct PathCodec : TextCodec {
  static ValueType type();
  static Result<> read(std::string_view text, std::string& value, const ParseContext& context);
};

/// Base64 or PEM of one certificate; white space does not matter.
struct CertificateCodec {
  using Value = Bytes;
  static ValueType type();
  static std::string write(const Bytes& value);
  static std::string show(const Bytes& value);
  static Result<> read(std::string_view text, Bytes& value, const ParseContext& context);
};

/// The same from a file, PEM or DER. Never written: the canonical form carries the certificate itself.
struct CertificateFileCodec {
  using Value = Bytes;
  static ValueType type();
  static std::string write(const Bytes&) { return {}; }
  static Result<> read(std::string_view text, Bytes& value, const ParseContext& context);
};

/// A time span, "30s". Not zero, at most ten years.
struct DurationCodec {
  using Value = std::chrono::milliseconds;
  static ValueType type();
  static std::string write(std::chrono::milliseconds value);
  static Result<> read(std::string_view text, std::chrono::milliseconds& value, const ParseContext& context);
};

/// Octets, "64MiB". Not zero, at most 1 PiB.
struct SizeCodec {
  using Value = std::uint64_t;
  static ValueType type();
  static std::string write(std::uint64_t value);
  static Result<> read(std::string_view text, std::uint64_t& value, const ParseContext& context);
};

/// A day (its midnight in UTC) or a moment.
struct TimeCodec {
  using Value = Time;
  static ValueType type();
  static std::string write(Time value);
  static Result<> read(std::string_view text, Time& value, const ParseContext& context);
};

struct OptionalTimeCodec {
  using Value = std::optional<Time>;
  static ValueType type() { return TimeCodec::type(); }
  static std::string write(const std::optional<Time>& value) { return value ? TimeCodec::write(*value) : ""; }
  static Result<> read(std::string_view text, std::optional<Time>& value, const ParseContext& context) {
    return TimeCodec::read(text, value.emplace(), context);
  }
};

/// How much longer each wait is than the one before.
struct FactorCodec {
  using Value = double;
  static ValueType type();
  static std::string write(double value);
  static Result<> read(std::string_view text, double& value, const ParseContext& context);
};

ValueType integer_type(std::int64_t smallest, std::int64_t largest);
/// Decimal digits only. Nothing: not a number, or out of range.
std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t smallest, std::int64_t largest);

template <class T, std::int64_t kSmallest, std::int64_t kLargest>
struct IntegerCodec {
  using Value = T;
  static ValueType type() { return integer_type(kSmallest, kLargest); }
  static std::string write(T value) { return std::to_string(value); }
  static Result<> read(std::string_view text, T& value, const ParseContext&) {
    const std::optional<std::int64_t> number = parse_integer(text, kSmallest, kLargest);
    if (!number) return fail(ErrorKind::InvalidInput, "");
    value = static_cast<T>(*number);
    return {};
  }
};

/// @param first, count  the part of `values` that may be written here; the XSD lists all of them
ValueType enum_type(std::string_view name, std::span<const std::string_view> values, std::size_t first,
                    std::size_t count);

/// An enum by its exact names, or by a run of them.
template <class E, std::size_t kFirst = 0, std::size_t kCount = EnumNames<E>::kValues.size()>
struct EnumCodec {
  using Value = E;
  static ValueType type() { return enum_type(EnumNames<E>::kName, EnumNames<E>::kValues, kFirst, kCount); }
  static std::string write(E value) { return std::string(enum_name(value)); }
  static Result<> read(std::string_view text, E& value, const ParseContext&) {
    for (std::size_t i = kFirst; i < kFirst + kCount; ++i) {
      if (EnumNames<E>::kValues.at(i) != text) continue;
      value = static_cast<E>(i);
      return {};
    }
    return fail(ErrorKind::InvalidInput, "");
  }
};

}  // namespace signet::agreements

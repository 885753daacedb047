#pragma once

#include <cstdint>
#include <initializer_list>

namespace signet::vault {

/// A set of the values of an enum whose values count from 0 and are fewer than 32.
template <class Enum>
class FlagSet {
 public:
  constexpr FlagSet() = default;
  constexpr FlagSet(std::initializer_list<Enum> members) {
    for (const Enum member : members) add(member);
  }

  [[nodiscard]] constexpr bool has(Enum member) const { return (bits_ & bit(member)) != 0; }
  [[nodiscard]] constexpr bool has_all(FlagSet others) const { return (others.bits_ & ~bits_) == 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  constexpr void add(Enum member) { bits_ |= bit(member); }
  constexpr void remove(Enum member) { bits_ &= ~bit(member); }
  constexpr void add_all(FlagSet other) { bits_ |= other.bits_; }
  constexpr void remove_all(FlagSet other) { bits_ &= ~other.bits_; }
  friend constexpr bool operator==(FlagSet a, FlagSet b) { return a.bits_ == b.bits_; }

 private:
  static constexpr std::uint32_t bit(Enum member) {
    return std::uint32_t{1} << static_cast<std::uint32_t>(member);
  }
  std::uint32_t bits_ = 0;
};

}  // namespace signet::vault

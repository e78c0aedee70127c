#include "restate/kube/quantity.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "restate/json/text.h"

namespace restate::kube {
namespace {

// 128 bits hold 2^63, the largest quantity, in units of 1e-9.
__extension__ using Nanos = __int128;

constexpr Nanos kLargest = static_cast<Nanos>(INT64_MAX) * 1000000000;

struct Suffix {
  std::string_view text;
  int base, exponent;
};
constexpr std::array kSuffixes{
    Suffix{"n", 10, -9}, Suffix{"u", 10, -6}, Suffix{"m", 10, -3}, Suffix{"", 10, 0},
    Suffix{"k", 10, 3},  Suffix{"M", 10, 6},  Suffix{"G", 10, 9},  Suffix{"T", 10, 12},
    Suffix{"P", 10, 15}, Suffix{"E", 10, 18}, Suffix{"Ki", 2, 10}, Suffix{"Mi", 2, 20},
    Suffix{"Gi", 2, 30}, Suffix{"Ti", 2, 40}, Suffix{"Pi", 2, 50}, Suffix{"Ei", 2, 60},
};

std::optional<std::pair<int, int>> Scale(std::string_view suffix) {
  for (const Suffix& known : kSuffixes) {
    if (suffix == known.text) return std::pair{known.base, known.exponent};
  }
  if (suffix.size() < 2 || (suffix.front() != 'e' && suffix.front() != 'E')) return std::nullopt;
  suffix.remove_prefix(1);
  if (suffix.front() == '+') suffix.remove_prefix(1);
  int exponent = 0;
  const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), exponent);
  if (error != std::errc() || end != suffix.data() + suffix.size() || exponent < -18 || exponent > 18)
    return std::nullopt;
  return std::pair{10, exponent};
}

// nullopt: no quantity, or one that this program need not understand (too large, finer than 1e-9).
std::optional<Nanos> Parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t digits_end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto scale = Scale(text.substr(digits_end));
  if (digits_end == 0 || !scale) return std::nullopt;
  auto [base, exponent] = *scale;

  Nanos value = 0;
  int decimals = 0;
  bool point = false;
  for (const char c : text.substr(0, digits_end)) {
    if (c == '.') {
      if (std::exchange(point, true)) return std::nullopt;
      continue;
    }
    value = value * 10 + (c - '0');
    if (value > kLargest) return std::nullopt;
    if (point) ++decimals;
  }
  int tens = 9 - decimals + (base == 10 ? exponent : 0);
  for (int i = 0; base == 2 && i < exponent; ++i) {
    value *= 2;
    if (value > kLargest * 1000000) return std::nullopt;
  }
  for (; tens > 0; --tens) {
    value *= 10;
    if (value > kLargest) return std::nullopt;
  }
  for (; tens < 0; ++tens) {
    if (value % 10 != 0) return std::nullopt;
    value /= 10;
  }
  return negative ? -value : value;
}

std::optional<Nanos> Parse(const json::Value& value) {
  if (const std::string* text = value.get<std::string>()) return Parse(std::string_view(*text));
  if (value.is_number()) return Parse(std::string_view(json::Dump(value)));
  return std::nullopt;
}

}  // namespace

bool SameQuantity(const json::Value& a, const json::Value& b) {
  const auto parsed_a = Parse(a), parsed_b = Parse(b);
  return parsed_a && parsed_b && *parsed_a == *parsed_b;
}

std::optional<std::strong_ordering> CompareQuantities(const json::Value& a, const json::Value& b) {
  const auto parsed_a = Parse(a), parsed_b = Parse(b);
  if (!parsed_a || !parsed_b) return std::nullopt;
  if (*parsed_a == *parsed_b) return std::strong_ordering::equal;
  return *parsed_a < *parsed_b ? std::strong_ordering::less : std::strong_ordering::greater;
}

}  // namespace restate::kube

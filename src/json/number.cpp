#include "number.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace restate::json {
namespace {

// The shortest decimal digits that read back as the same number, and the power of ten of the last one.
struct Decimal {
  std::string digits;
  int exponent = 0;
};

Decimal Shortest(double positive) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, positive, std::chars_format::scientific).ptr;
  const std::string_view scientific(text, static_cast<std::size_t>(end - text));
  const auto e = scientific.find('e');
  Decimal decimal;
  for (const char c : scientific.substr(0, e)) {
    if (c != '.') decimal.digits += c;
  }
  const int power = std::atoi(std::string(scientific.substr(e + 1)).c_str());
  decimal.exponent = power - static_cast<int>(decimal.digits.size()) + 1;
  return decimal;
}

}  // namespace

// The layout follows what serde_json's float printer (ryu) documents by its output: plain digits while the decimal point
// falls within 16 digits, at most five zeros behind the point, an exponent otherwise; whole numbers end in ".0".
void AppendDouble(double number, std::string* out) {
  if (!std::isfinite(number)) {
    *out += "null";  // JSON knows no infinity
    return;
  }
  if (std::signbit(number)) *out += '-';
  if (number == 0) {
    *out += "0.0";
    return;
  }
  const Decimal decimal = Shortest(std::fabs(number));
  const int length = static_cast<int>(decimal.digits.size());
  const int point = length + decimal.exponent;  // digits before the decimal point
  if (decimal.exponent >= 0 && point <= 16) {
    *out += decimal.digits + std::string(static_cast<std::size_t>(decimal.exponent), '0') + ".0";
  } else if (point > 0 && point <= 16) {
    *out += decimal.digits.substr(0, static_cast<std::size_t>(point)) + "." + decimal.digits.substr(static_cast<std::size_t>(point));
  } else if (point > -5 && point <= 0) {
    *out += "0." + std::string(static_cast<std::size_t>(-point), '0') + decimal.digits;
  } else {
    *out += decimal.digits.substr(0, 1);
    if (length > 1) *out += "." + decimal.digits.substr(1);
    *out += "e" + std::to_string(point - 1);
  }
}

}  // namespace restate::json

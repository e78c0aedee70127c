// A struct with a member of every kind.
//
// Leaving out one of the lines in Describe() stops the compiler with "a member of this struct has no line in its
// Describe()"; repeating one, with "two lines of Describe() have the same name or the same member".
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "restate/json/value.h"
#include "restate/schema/field.h"

namespace restate::schema {

enum class Colour : std::uint8_t { kRed, kDarkBlue };

constexpr auto Names(Of<Colour>) {
  return std::to_array<EnumName<Colour>>({{Colour::kRed, "red"}, {Colour::kDarkBlue, "dark-blue"}});
}

struct Inner {
  std::int32_t x = 0;
  friend bool operator==(const Inner&, const Inner&) = default;
};

constexpr auto Describe(Of<Inner>) { return Struct("Inner thing.", Field("x", &Inner::x, "X.")); }

struct Choice {
  std::optional<std::int32_t> left;
  std::optional<std::int32_t> right;
};

constexpr auto Describe(Of<Choice>) {
  return Struct("Left or right.", Field("left", &Choice::left, "L."), Field("right", &Choice::right, "R."))
      .OneOf("left", "right");
}

struct Sample {
  std::string name;
  std::int32_t count = 7;
  std::optional<std::int32_t> size;
  std::optional<std::int64_t> big;
  std::optional<bool> flag;
  std::optional<Colour> colour;
  std::optional<absl::Time> when;
  std::optional<std::map<std::string, std::string>> tags;
  std::optional<std::vector<std::string>> words;
  Inner inner;
  std::optional<std::vector<Inner>> inners;
  std::optional<json::Value> affinity;
  std::optional<std::vector<json::Value>> envs;
  std::optional<json::Value> any;
  std::optional<json::Value> any_object;

  friend bool operator==(const Sample&, const Sample&) = default;
};

constexpr auto Describe(Of<Sample>) {
  using S = Sample;
  return Struct("A sample.", Field("name", &S::name, "Name.").Length(1, 63).Pattern("^[a-z]+$"),
                Field("count", &S::count, "Count.").Default().Immutable("count stays"),
                Field("size", &S::size, "Size.").Min(2).Max(10), Field("big", &S::big, "Big."),
                Field("flag", &S::flag, "Flag."), Field("colour", &S::colour, "Colour."),
                Field("when", &S::when, "When."), Field("tags", &S::tags, "Tags.").Atomic(),
                Field("words", &S::words, "Words.").Atomic().NotNullable(), Field("inner", &S::inner),
                Field("inners", &S::inners, "Inners."), Field("affinity", &S::affinity, "Affinity.").Schema("Affinity"),
                Field("envs", &S::envs, "Variables.").Schema("EnvVar").MapKey("name"),
                Field("any", &S::any, "Anything.").PreserveUnknown(),
                Field("any_object", &S::any_object, "Any object.").AnyObject())
      .Rule("self.count > 0", "count must be positive")
      .Rule("self.name != 'x'", "not x");
}

}  // namespace restate::schema

#include "restate/schema/codec.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"

namespace restate::schema {
namespace {

// The integer in `value`. A double counts when it is whole: JSON knows one kind of number, and the API server takes 3.0
// too.
std::optional<std::int64_t> IntegerOf(const json::Value& value) {
  if (const auto* integer = value.get<std::int64_t>()) return *integer;
  const auto* real = value.get<double>();
  constexpr double kLimit = 9007199254740992.0;  // 2^53: up to here every integer has a double
  if (real && std::abs(*real) <= kLimit && std::trunc(*real) == *real) return static_cast<std::int64_t>(*real);
  return std::nullopt;
}

absl::Status ReadInteger(const json::Value& value, std::int64_t lowest, std::int64_t highest, std::int64_t& out,
                         const Path& path, const Attributes& attributes) {
  if (!value.is_number()) return Invalid(path, "expected an integer");
  const std::optional<std::int64_t> integer = IntegerOf(value);
  if (!integer && value.get<double>()) return Invalid(path, "expected an integer");
  const std::int64_t min = std::max(lowest, attributes.min.value_or(lowest));
  const std::int64_t max = std::min(highest, attributes.max.value_or(highest));
  if (integer && *integer < min) return Invalid(path, absl::StrCat("must be at least ", min));
  if (!integer || *integer > max) return Invalid(path, absl::StrCat("must be at most ", max));
  out = *integer;
  return absl::OkStatus();
}

bool IsPlainKey(std::string_view key) { return !key.empty() && key.find_first_of(".[]\"/ ") == std::string_view::npos; }

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 40;  // enough to recognise a mistake; messages end up in conditions
  if (text.size() <= kShown) return absl::StrCat("\"", std::string(text), "\"");
  std::size_t end = kShown;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // never half a UTF-8 character
  return absl::StrCat("\"", std::string(text.substr(0, end)), "...\"");
}

}  // namespace

std::string Path::ToString() const {
  const std::string parent = parent_ ? parent_->ToString() : "";
  if (index_) return absl::StrCat(parent, "[", *index_, "]");
  const std::string name(name_);
  if (!parent_) return name;
  if (!IsPlainKey(name_)) return absl::StrCat(parent, "[\"", name, "\"]");
  return parent.empty() ? name : absl::StrCat(parent, ".", name);
}

absl::Status Invalid(const Path& path, std::string_view what) {
  const std::string place = path.ToString();
  return MakeError(Reason::kInvalidSpec, (place.empty() ? "object" : place) + ": " + std::string(what));
}

absl::Status CheckOneOf(const json::Object& members, const Alternatives& names, const Path& path) {
  if (names.size == 0) return absl::OkStatus();
  std::string all, set;
  int count = 0;
  for (const std::string_view name : names) {
    all += (all.empty() ? "" : ", ") + std::string(name);
    const auto found = members.find(name);
    if (found == members.end() || found->second.is_null()) continue;
    set += (set.empty() ? "" : ", ") + std::string(name);
    ++count;
  }
  if (count == 1) return absl::OkStatus();
  return Invalid(path, "set exactly one of " + all + (count == 0 ? "; none is set" : "; " + set + " are set"));
}

absl::Status Read(const json::Value& value, bool& out, const Path& path, const Attributes&) {
  const bool* flag = value.get<bool>();
  if (!flag) return Invalid(path, "expected true or false");
  out = *flag;
  return absl::OkStatus();
}

absl::Status Read(const json::Value& value, std::int32_t& out, const Path& path, const Attributes& attributes) {
  using Limits = std::numeric_limits<std::int32_t>;
  std::int64_t wide = 0;
  RETURN_IF_ERROR(ReadInteger(value, Limits::min(), Limits::max(), wide, path, attributes));
  out = static_cast<std::int32_t>(wide);
  return absl::OkStatus();
}

absl::Status Read(const json::Value& value, std::int64_t& out, const Path& path, const Attributes& attributes) {
  using Limits = std::numeric_limits<std::int64_t>;
  return ReadInteger(value, Limits::min(), Limits::max(), out, path, attributes);
}

absl::Status Read(const json::Value& value, std::string& out, const Path& path, const Attributes&) {
  const std::string* text = value.get<std::string>();
  if (!text) return Invalid(path, "expected a string");
  out = *text;
  return absl::OkStatus();
}

absl::Status Read(const json::Value& value, absl::Time& out, const Path& path, const Attributes&) {
  constexpr std::string_view kExpected = "expected an RFC 3339 time such as 2026-01-31T09:00:00Z";
  const std::string* text = value.get<std::string>();
  if (!text) return Invalid(path, kExpected);
  // absl would also read "infinite-future" and surrounding blanks.
  const bool plausible = !text->empty() && text->front() >= '0' && text->front() <= '9' && text->back() != ' ';
  std::string ignored;
  if (!plausible || !absl::ParseTime(absl::RFC3339_full, *text, &out, &ignored)) return Invalid(path, kExpected);
  return absl::OkStatus();
}

absl::Status Read(const json::Value& value, json::Value& out, const Path& path, const Attributes& attributes) {
  if (attributes.content == Content::kAnyObject && !value.is_object()) return Invalid(path, "expected an object");
  out = value;
  return absl::OkStatus();
}

absl::Status ReadEnum(const json::Value& value, const std::string_view* names, std::size_t count, std::size_t& out,
                      const Path& path) {
  const std::string* text = value.get<std::string>();
  if (!text) return Invalid(path, "expected a string");
  std::string all;
  for (out = 0; out < count; ++out) {
    if (names[out] == *text) return absl::OkStatus();
    all += (out == 0 ? "" : ", ") + std::string(names[out]);
  }
  return Invalid(path, Quoted(*text) + " is not one of " + all);
}

json::Value Encode(absl::Time value) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", value, absl::UTCTimeZone()); }

}  // namespace restate::schema

// ParseYaml: yaml-cpp's events made into values. yaml-cpp itself refuses more than 500 levels.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "restate/base/error.h"
#include "restate/json/yaml.h"

namespace restate::json {
namespace {

constexpr std::size_t kAliasBudget = 100000;  // nodes made by anchors and aliases, in one text
constexpr std::size_t kBytesPerNode = 64;     // a long text counts as more than one node

constexpr std::string_view kDigits = "0123456789";

bool HasOnly(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// Digits of a base as a number; a double where 64 bits are too few.
std::optional<Value> ParseInteger(std::string_view digits, bool negative, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (!negative) return Value(number);
  constexpr std::uint64_t kMostNegative = std::uint64_t{1} << 63;
  if (number > kMostNegative) return Value(-static_cast<double>(number));
  return Value(static_cast<std::int64_t>(~number + 1));
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool LooksLikeFloat(std::string_view text) {
  const auto skip_digits = [&text] {
    const std::size_t count = std::min(text.find_first_not_of(kDigits), text.size());
    text.remove_prefix(count);
    return count;
  };
  const auto skip = [&text](std::string_view any) {
    if (text.empty() || any.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  skip("+-");
  std::size_t digits = skip_digits();
  if (skip(".")) digits += skip_digits();
  if (digits == 0) return false;
  if (!skip("eE")) return text.empty();
  skip("+-");
  return skip_digits() > 0 && text.empty();
}

// A plain scalar by the YAML 1.2 core schema, less the infinities and NaN, for which JSON has no number.
Value Resolve(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  std::string_view digits = text;
  const bool negative = !digits.empty() && digits.front() == '-';
  const bool sign = negative || (!digits.empty() && digits.front() == '+');
  if (sign) digits.remove_prefix(1);
  std::optional<Value> number;
  if (HasOnly(digits, kDigits)) {
    // kubectl reads 0644 as octal, as YAML 1.1 did, and file modes in manifests count on it.
    const bool octal = digits.size() > 1 && digits.front() == '0' && HasOnly(digits, "01234567");
    number = ParseInteger(digits, negative, octal ? 8 : 10);
  } else if (!sign && digits.substr(0, 2) == "0x") {
    number = ParseInteger(digits.substr(2), false, 16);
  } else if (!sign && digits.substr(0, 2) == "0o") {
    number = ParseInteger(digits.substr(2), false, 8);
  }
  if (number) return *number;
  double real = 0;
  if (LooksLikeFloat(text) && absl::SimpleAtod(text, &real) && std::isfinite(real)) return real;
  return text;
}

class ValueBuilder : public YAML::EventHandler {
 public:
  std::vector<Value> Take() { return std::move(documents_); }

  void OnDocumentStart(const YAML::Mark&) override { anchors_.clear(); }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { Put(mark, Value(), anchor, 1); }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const std::size_t cost = 1 + text.size() / kBytesPerNode;
    const bool key = AwaitsKey();
    if (key && tag == "?" && text == "<<") Fail(mark, "merge keys (<<) are not supported; repeat the members");
    const bool resolve = !key && (tag == "?" || (tag.rfind("tag:yaml.org,2002:", 0) == 0 && tag != kStringTag));
    if (tag == "tag:yaml.org,2002:binary") Fail(mark, "!!binary is not supported; write the base64 text as a string");
    Put(mark, resolve ? Resolve(text) : Value(text), anchor, cost);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) Fail(mark, "an alias inside its own anchor");
    Spend(mark, found->second.cost);
    Put(mark, found->second.value, 0, found->second.cost);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, Array(), anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, Object(), anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapEnd() override { Close(); }

 private:
  static constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";

  struct Container {
    YAML::Mark mark;
    Value value;
    YAML::anchor_t anchor = 0;
    std::optional<std::string> key;  // of the member whose value comes next
    std::size_t cost = 1;
  };
  struct Anchored {
    Value value;
    std::size_t cost;
  };

  // yaml-cpp calls these members; only an exception ends its work. ParseYaml catches it.
  [[noreturn]] static void Fail(const YAML::Mark& mark, const std::string& what) {
    throw YAML::ParserException(mark, what);
  }

  bool AwaitsKey() const { return !open_.empty() && open_.back().value.is_object() && !open_.back().key; }

  void Spend(const YAML::Mark& mark, std::size_t cost) {
    spent_ += cost;
    if (spent_ > kAliasBudget) Fail(mark, "anchors and aliases make this text too large; write it out");
  }

  void Open(const YAML::Mark& mark, Value container, YAML::anchor_t anchor) {
    if (AwaitsKey()) Fail(mark, "a key must be a scalar");
    open_.push_back({mark, std::move(container), anchor, {}, 1});
  }

  void Close() {
    Container done = std::move(open_.back());
    open_.pop_back();
    Put(done.mark, std::move(done.value), done.anchor, done.cost);
  }

  void Put(const YAML::Mark& mark, Value value, YAML::anchor_t anchor, std::size_t cost) {
    if (anchor != 0) {
      Spend(mark, cost);
      anchors_.insert_or_assign(anchor, Anchored{value, cost});
    }
    if (open_.empty()) {
      if (!value.is_null()) documents_.push_back(std::move(value));
      return;
    }
    Container& parent = open_.back();
    parent.cost += cost;
    if (Array* items = parent.value.array()) {
      items->push_back(std::move(value));
    } else if (parent.key) {
      parent.value.object()->insert_or_assign(*std::move(parent.key), std::move(value));
      parent.key.reset();
    } else {
      SetKey(mark, parent, value);
    }
  }

  static void SetKey(const YAML::Mark& mark, Container& parent, const Value& value) {
    const std::string* key = value.get<std::string>();
    if (!key) Fail(mark, "a key must be a text");
    if (parent.value.Find(*key)) Fail(mark, absl::StrCat("the key \"", *key, "\" occurs twice"));
    parent.key = *key;
  }

  std::vector<Value> documents_;
  std::vector<Container> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t spent_ = 0;
};

absl::Status At(const YAML::Mark& mark, const std::string& what) {
  return MakeError(Reason::kInvalidSpec,
                   absl::StrCat("invalid YAML at line ", mark.line + 1, ", column ", mark.column + 1, ": ", what));
}

}  // namespace

absl::StatusOr<std::vector<Value>> ParseYaml(std::string_view text) {
  std::istringstream stream{std::string(text)};
  ValueBuilder builder;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    return At(error.mark, error.msg);
  }
  return builder.Take();
}

}  // namespace restate::json

#include "schema_check.h"

#include <array>
#include <cstdint>
#include <limits>
#include <regex>
#include <set>

#include "absl/strings/str_cat.h"
#include "restate/json/text.h"

namespace restate::cli {
namespace {

using json::Value;

// CEL expressions are not evaluated: there are few, and these are they. Null: about an earlier state; a new object
// keeps it.
struct Rule {
  std::string_view text;
  bool (*holds)(const Value& self);
};
constexpr std::array kRules{
    Rule{"self == oldSelf", nullptr},
    Rule{"!has(self.autoscaling) || !has(self.deploymentMode) || self.deploymentMode != 'knative'",
         [](const Value& self) { return !self.Find("autoscaling") || self.StringAt({"deploymentMode"}) != "knative"; }},
};

const Rule* FindRule(std::string_view text) {
  for (const Rule& rule : kRules) {
    if (rule.text == text) return &rule;
  }
  return nullptr;
}

// "spec.template", "spec.tunnel.env[2]", "metadata.labels[a.b/c]".
std::string Member(const std::string& path, const std::string& name) {
  if (name.find_first_of("./") != std::string::npos) return absl::StrCat(path, "[", name, "]");
  return path.empty() ? name : absl::StrCat(path, ".", name);
}

std::string Quoted(const Value& value) {
  std::string text = json::Dump(value);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

const json::Array& ArrayIn(const Value& schema, std::string_view key) {
  static const json::Array kNone;
  const Value* found = schema.Find(key);
  return found && found->array() ? *found->array() : kNone;
}

bool Has(const Value& object, std::string_view name) {
  const Value* found = object.Find(name);
  return found && !found->is_null();
}

bool IsInteger(const Value& value) { return value.get<std::int64_t>() || value.get<std::uint64_t>(); }

bool IsOfType(const Value& value, std::string_view type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.get<bool>() != nullptr;
  if (type == "integer") return IsInteger(value);
  return type != "number" || value.is_number();
}

}  // namespace

bool IsKnownRule(std::string_view rule) { return FindRule(rule) != nullptr; }

void SchemaCheck::Note(std::string_view path, std::string_view what) {
  mistakes.emplace_back(path).append(": ").append(what);
}

void SchemaCheck::Check(Value& value, const Value& schema, const std::string& path) {
  if (value.is_null() && schema.BoolAt({"nullable"})) return CheckNull(schema, path);
  if (!CheckType(value, schema, path)) return;
  if (value.is_object()) CheckObject(value, schema, path);
  if (value.is_array()) CheckArray(value, schema, path);
  if (const auto* text = value.get<std::string>()) CheckText(*text, schema, path);
  if (IsInteger(value)) CheckNumber(value, schema, path);
  CheckOneOf(value, schema, path);
  CheckRules(value, schema, path);
}

// API servers look for a null among the words, and find it in none of our CRDs.
void SchemaCheck::CheckNull(const Value& schema, const std::string& path) {
  if (const Value* names = schema.Find("enum"))
    Note(path, absl::StrCat("must be one of ", json::Dump(*names), ", not null"));
}

bool SchemaCheck::CheckType(const Value& value, const Value& schema, const std::string& path) {
  if (schema.BoolAt({"x-kubernetes-int-or-string"})) {
    if (value.is_string() || IsInteger(value)) return true;
    Note(path, "must be a text or a whole number, not " + Quoted(value));
    return false;
  }
  const std::string_view type = schema.StringAt({"type"});
  if (type.empty() || IsOfType(value, type)) return true;
  Note(path, absl::StrCat("must be of type ", std::string(type), ", not ", Quoted(value)));
  return false;
}

void SchemaCheck::CheckObject(Value& value, const Value& schema, const std::string& path) {
  const Value* properties = schema.Find("properties");
  const Value* others = schema.Find("additionalProperties");
  std::vector<std::string> names;
  for (const auto& [name, unused] : *value.object()) names.push_back(name);
  for (const std::string& name : names) {
    const Value* known = properties ? properties->Find(name) : nullptr;
    if (known || others) {
      CheckMember(value, name, known ? *known : *others, Member(path, name));
    } else if (!schema.BoolAt({"x-kubernetes-preserve-unknown-fields"})) {
      Note(Member(path, name), "there is no such field; see kubectl explain");
    }
  }
  static const json::Object kNone;
  for (const auto& [name, property] : properties ? *properties->object() : kNone) {
    if (const Value* fallback = property.Find("default"); fallback && !value.Find(name)) value[name] = *fallback;
  }
  for (const Value& name : ArrayIn(schema, "required")) {
    if (!value.Find(*name.get<std::string>())) Note(Member(path, *name.get<std::string>()), "is required");
  }
}

// A null that may not be one counts as left out.
void SchemaCheck::CheckMember(Value& object, const std::string& name, const Value& schema, const std::string& path) {
  Value& member = object[name];
  if (member.is_null() && !schema.BoolAt({"nullable"})) return object.Erase(name);
  Check(member, schema, path);
}

void SchemaCheck::CheckArray(Value& value, const Value& schema, const std::string& path) {
  json::Array& items = *value.array();
  const Value* schema_of_items = schema.Find("items");
  for (std::size_t i = 0; schema_of_items && i < items.size(); ++i) {
    Check(items[i], *schema_of_items, absl::StrCat(path, "[", i, "]"));
  }
  CheckKeys(items, schema, path);
}

// No two items of a list that is a map have the same key.
void SchemaCheck::CheckKeys(const json::Array& items, const Value& schema, const std::string& path) {
  const json::Array& keys = ArrayIn(schema, "x-kubernetes-list-map-keys");
  if (keys.empty()) return;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    json::Array key;
    for (const Value& name : keys) {
      const Value* part = items[i].Find(*name.get<std::string>());
      key.push_back(part ? *part : Value());
    }
    if (!seen.insert(json::Dump(key)).second) {
      Note(absl::StrCat(path, "[", i, "]"), "is a second " + Quoted(keys.size() == 1 ? key.front() : Value(key)));
    }
  }
}

void SchemaCheck::CheckText(const std::string& text, const Value& schema, const std::string& path) {
  constexpr std::size_t kLongest = 4096;  // that a pattern is tried on: std::regex needs stack for each byte
  const json::Array& names = ArrayIn(schema, "enum");
  bool named = names.empty();
  for (const Value& name : names) named = named || name == Value(text);
  if (!named) Note(path, absl::StrCat("must be one of ", json::Dump(names), ", not ", Quoted(text)));
  const auto shortest = schema.IntAt({"minLength"});
  const auto longest = schema.IntAt({"maxLength"}, std::numeric_limits<std::int64_t>::max());
  std::int64_t length = 0;
  for (const char c : text) length += (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // characters, not bytes
  if (length < shortest) Note(path, absl::StrCat("must have at least ", shortest, " characters"));
  if (length > longest) Note(path, absl::StrCat("must have at most ", longest, " characters, not ", length));
  const std::string pattern(schema.StringAt({"pattern"}));
  if (pattern.empty()) return;
  if (text.size() > kLongest || !std::regex_search(text, std::regex(pattern))) {
    Note(path, absl::StrCat(Quoted(text), " does not match ", pattern));
  }
}

void SchemaCheck::CheckNumber(const Value& value, const Value& schema, const std::string& path) {
  if (schema.StringAt({"type"}) != "integer") return;
  const bool narrow = schema.StringAt({"format"}) == "int32";
  const std::int64_t low = narrow ? INT32_MIN : INT64_MIN, high = narrow ? INT32_MAX : INT64_MAX;
  const std::int64_t least = schema.IntAt({"minimum"}, low), most = schema.IntAt({"maximum"}, high);
  const auto* number = value.get<std::int64_t>();
  if (number && *number < least) Note(path, absl::StrCat("must be at least ", least, ", not ", *number));
  if (!number || *number > most) Note(path, absl::StrCat("must be at most ", most, ", not ", Quoted(value)));
}

// The one form that our CRDs have: exactly one of some members is there.
void SchemaCheck::CheckOneOf(const Value& value, const Value& schema, const std::string& path) {
  const json::Array& choices = ArrayIn(schema, "oneOf");
  if (choices.empty()) return;
  int met = 0;
  std::string names;
  for (const Value& choice : choices) {
    for (const Value& name : ArrayIn(choice, "required")) {
      met += Has(value, *name.get<std::string>());
      absl::StrAppend(&names, names.empty() ? "" : ", ", *name.get<std::string>());
    }
  }
  if (met != 1) Note(path, absl::StrCat("must have exactly one of ", names, met == 0 ? "" : ", not several"));
}

void SchemaCheck::CheckRules(const Value& value, const Value& schema, const std::string& path) {
  for (const Value& entry : ArrayIn(schema, "x-kubernetes-validations")) {
    const Rule* rule = FindRule(entry.StringAt({"rule"}));
    if (rule && rule->holds && !rule->holds(value)) Note(path, entry.StringAt({"message"}));
  }
}

}  // namespace restate::cli

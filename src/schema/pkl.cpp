#include "restate/schema/pkl.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "restate/json/text.h"
#include "restate/schema/kubernetes.h"

namespace restate::schema {
namespace {

using json::Value;

constexpr std::size_t kColumns = 120;
// What cannot be a plain name of a property (keywords, also those that are reserved for later).
constexpr auto kKeywords = std::to_array<std::string_view>(
    {"abstract", "amends",   "as",        "case",    "class",    "const",   "delete", "else",   "extends",
     "external", "false",    "fixed",     "for",     "function", "hidden",  "if",     "import", "in",
     "is",       "let",      "local",     "module",  "new",      "nothing", "null",   "open",   "out",
     "outer",    "override", "protected", "read",    "record",   "super",   "switch", "this",   "throw",
     "trace",    "true",     "typealias", "unknown", "vararg",   "when"});

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

std::string Pascal(std::string name) {
  if (!name.empty()) name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name;
}

bool Requires(const Value& schema, std::string_view name) {
  const Value* required = schema.Find("required");
  if (!required) return false;
  const json::Array& names = *required->array();
  return std::find(names.begin(), names.end(), Value(name)) != names.end();
}

std::string Constrained(std::string_view type, const std::vector<std::string>& constraints) {
  if (constraints.empty()) return std::string(type);
  return absl::StrCat(ToAbsl(type), "(", absl::StrJoin(constraints, ", "), ")");
}

std::string StringType(const Value& schema) {
  std::vector<std::string> constraints;
  const Value* min = schema.Find("minLength");
  const Value* max = schema.Find("maxLength");
  if (min) constraints.push_back(absl::StrCat("this.length >= ", json::Dump(*min)));
  if (max) constraints.push_back(absl::StrCat("this.length <= ", json::Dump(*max)));
  // As in OpenAPI, a match anywhere; patterns anchor themselves.
  if (const Value* pattern = schema.Find("pattern")) {
    constraints.push_back(absl::StrCat("this.contains(Regex(#\"", *pattern->get<std::string>(), "\"#))"));
  }
  return Constrained("String", constraints);
}

std::string IntegerType(const Value& schema) {
  std::vector<std::string> constraints;
  const Value* min = schema.Find("minimum");
  const Value* max = schema.Find("maximum");
  if (min) constraints.push_back(absl::StrCat("this >= ", json::Dump(*min)));
  if (max) constraints.push_back(absl::StrCat("this <= ", json::Dump(*max)));
  return Constrained(schema.StringAt({"format"}) == "int32" ? "Int32" : "Int", constraints);
}

std::string EnumType(const json::Array& names) {
  const std::string type =
      absl::StrJoin(names, "|", [](std::string* out, const Value& name) { absl::StrAppend(out, json::Dump(name)); });
  return names.size() > 1 ? absl::StrCat("(", type, ")") : type;
}

// A Kubernetes quantity or port. Pkl writes numbers as YAML numbers.
bool IsIntOrString(const Value& schema) { return schema.BoolAt({"x-kubernetes-int-or-string"}); }

// "(exactly one is set)" of the alternatives of a struct, for the property that holds it; empty: it has none.
std::string ExactlyOne(const Value& schema) {
  const Value* alternatives = schema.Find("oneOf");
  if (!alternatives || !schema.Find("properties")) return {};
  std::vector<std::string> members;
  for (const Value& alternative : *alternatives->array()) {
    const std::string* name = alternative.Find("required")->array()->front().get<std::string>();
    members.push_back(absl::StrCat("this.", PklName(*name)));
  }
  return absl::StrCat("(List(", absl::StrJoin(members, ", "), ").count((it) -> it != null) == 1)");
}

// What a reader should know about a field beyond its type.
std::string DocOf(const Value& schema) {
  std::string doc(schema.StringAt({"description"}));
  if (const Value* fallback = schema.Find("default")) absl::StrAppend(&doc, "\nDefault: ", json::Dump(*fallback), ".");
  if (const Value* rules = schema.Find("x-kubernetes-validations")) {
    for (const Value& rule : *rules->array())
      absl::StrAppend(&doc, "\nRule: ", ToAbsl(rule.StringAt({"message"})), ".");
  }
  return doc;
}

}  // namespace

std::string PklName(std::string_view name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  const bool identifier = std::all_of(name.begin(), name.end(), plain) && !name.empty() &&
                          !std::isdigit(static_cast<unsigned char>(name.front()));
  const bool keyword = std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end();
  return identifier && !keyword ? std::string(name) : absl::StrCat("`", ToAbsl(name), "`");
}

std::string PklComment(std::string_view text, std::string_view indent) {
  std::string comment;
  for (const absl::string_view paragraph : absl::StrSplit(ToAbsl(text), '\n', absl::SkipEmpty())) {
    std::string line;
    const auto end_line = [&] {
      if (!line.empty()) absl::StrAppend(&comment, ToAbsl(indent), "///", line, "\n");
      line.clear();
    };
    for (const absl::string_view word : absl::StrSplit(paragraph, ' ', absl::SkipEmpty())) {
      if (indent.size() + 3 + line.size() + 1 + word.size() > kColumns) end_line();
      absl::StrAppend(&line, " ", word);
    }
    end_line();
  }
  return comment;
}

void PklClasses::AddKubernetesType(std::string_view type) {
  in_kubernetes_ = true;
  AddClass(std::string(type), KubernetesType(type), std::string(type));
}

void PklClasses::Add(const std::string& name, const json::Value& schema) {
  // The classes of a spec are named after the fields below it: Spec, Restate, RestateRegister.
  AddClass(name, schema, "");
}

std::string PklClasses::TypeOf(const json::Value& schema, const std::string& class_name) {
  if (const auto type = KubernetesTypeOf(schema); !type.empty()) {
    uses_kubernetes_ = true;
    return absl::StrCat(in_kubernetes_ ? "" : "Kubernetes.", ToAbsl(type));
  }
  if (IsIntOrString(schema)) return "(Int|String)";
  if (const Value* names = schema.Find("enum")) return EnumType(*names->array());
  if (const Value* items = schema.Find("items")) return absl::StrCat("Listing<", TypeOf(*items, class_name), ">");
  if (const Value* items = schema.Find("additionalProperties")) {
    return absl::StrCat("Mapping<String, ", TypeOf(*items, class_name), ">");
  }
  if (schema.Find("properties")) {
    AddClass(class_name, schema, class_name);
    return class_name + ExactlyOne(schema);
  }
  const std::string_view type = schema.StringAt({"type"});
  if (type == "string") return StringType(schema);
  if (type == "integer") return IntegerType(schema);
  if (type == "boolean") return "Boolean";
  if (type == "number") return "Number";
  return "Dynamic";
}

std::string PklClasses::PropertyOf(const json::Value& parent, const std::string& name, const json::Value& schema,
                                   const std::string& class_name) {
  const std::string type = TypeOf(schema, class_name);
  return absl::StrCat(PklComment(DocOf(schema), "  "), "  ", PklName(name), ": ", type,
                      Requires(parent, name) ? "" : "?", "\n");
}

void PklClasses::AddClass(const std::string& name, const json::Value& schema, const std::string& prefix) {
  std::vector<std::string> properties;
  for (const auto& [member, member_schema] : *schema.Find("properties")->object()) {
    properties.push_back(PropertyOf(schema, member, member_schema, prefix + Pascal(member)));
  }
  absl::StrAppend(&text_, "\n", PklComment(DocOf(schema), ""), "class ", name, " {\n", absl::StrJoin(properties, "\n"),
                  "}\n");
}

}  // namespace restate::schema

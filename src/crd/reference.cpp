#include "restate/crd/reference.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "restate/crd/manifest.h"
#include "restate/json/text.h"
#include "restate/schema/kubernetes.h"

namespace restate::crd {
namespace {

using json::Value;

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

std::string Code(std::string_view text) { return absl::StrCat("`", ToAbsl(text), "`"); }

// "`a`, `b`": the texts of a list in a schema.
std::string CodeList(const json::Array& items) {
  return absl::StrJoin(items, ", ", [](std::string* out, const Value& item) {
    const std::string* text = item.get<std::string>();
    absl::StrAppend(out, Code(text ? *text : json::Dump(item)));
  });
}

bool IsUntyped(const Value& schema) { return schema.BoolAt({"x-kubernetes-preserve-unknown-fields"}); }

std::string Range(const Value& schema) {
  const Value* min = schema.Find("minimum");
  const Value* max = schema.Find("maximum");
  if (min && max) return absl::StrCat(", ", json::Dump(*min), " to ", json::Dump(*max));
  if (min) return absl::StrCat(", ", json::Dump(*min), " or more");
  return max ? absl::StrCat(", at most ", json::Dump(*max)) : "";
}

std::string TypeOf(const Value& schema) {
  if (const auto type = schema::KubernetesTypeOf(schema); !type.empty()) {
    return absl::StrCat("Kubernetes ", Code(type));
  }
  if (const Value* names = schema.Find("enum")) return CodeList(*names->array());
  if (IsUntyped(schema)) return "object, passed on as it is";
  if (const Value* items = schema.Find("items")) return absl::StrCat("list of ", TypeOf(*items));
  if (const Value* items = schema.Find("additionalProperties")) return absl::StrCat("map of ", TypeOf(*items));
  std::string type(schema.StringAt({"type"}));
  if (schema.StringAt({"format"}) == "date-time") type = "time";
  if (const Value* longest = schema.Find("maxLength")) {
    absl::StrAppend(&type, ", at most ", json::Dump(*longest), " characters");
  }
  if (const Value* pattern = schema.Find("pattern")) {
    absl::StrAppend(&type, ", matches ", Code(*pattern->get<std::string>()));
  }
  return type + Range(schema);
}

// What the schema demands beyond the type, in sentences.
std::string Demands(const Value& schema) {
  std::string text;
  const std::string_view description = schema.StringAt({"description"});
  const Value* alternatives = schema.Find("oneOf");
  if (alternatives && description.find("xactly one") == std::string_view::npos) {
    json::Array names;
    for (const Value& alternative : *alternatives->array())
      names.push_back(alternative.Find("required")->array()->front());
    absl::StrAppend(&text, " Exactly one of ", CodeList(names), " must be set.");
  }
  if (const Value* rules = schema.Find("x-kubernetes-validations")) {
    for (const Value& rule : *rules->array())
      absl::StrAppend(&text, " Rule: ", ToAbsl(rule.StringAt({"message"})), ".");
  }
  return text;
}

bool IsRequired(const Value& parent, std::string_view name) {
  const Value* required = parent.Find("required");
  if (!required) return false;
  for (const Value& item : *required->array()) {
    if (item == Value(name)) return true;
  }
  return false;
}

void AddRows(const Value& schema, const std::string& path, std::string& out);

void AddRow(const Value& parent, const std::string& name, const Value& field, const std::string& path,
            std::string& out) {
  if (!field.Find("description")) return AddRows(field, path, out);  // metadata, which Kubernetes describes
  const Value* fallback = field.Find("default");
  const std::string absent = fallback ? Code(json::Dump(*fallback)) : IsRequired(parent, name) ? "**required**" : "";
  absl::StrAppend(&out, "| ", Code(path), " | ", MarkdownCell(TypeOf(field)), " | ", absent, " | ",
                  MarkdownCell(absl::StrCat(ToAbsl(field.StringAt({"description"})), Demands(field))), " |\n");
  AddRows(field, path, out);
}

// The fields below `schema`, each before its own. What is inside a Kubernetes type is described by Kubernetes.
void AddRows(const Value& schema, const std::string& path, std::string& out) {
  if (!schema::KubernetesTypeOf(schema).empty()) return;
  if (const Value* items = schema.Find("items")) return AddRows(*items, path + "[]", out);
  if (const Value* items = schema.Find("additionalProperties")) return AddRows(*items, path + ".*", out);
  const Value* properties = schema.Find("properties");
  if (!properties) return;
  for (const auto& [name, field] : *properties->object()) {
    AddRow(schema, name, field, path.empty() ? name : path + "." + name, out);
  }
}

std::string PageOf(const Manifest& manifest) {
  const Value& spec = *manifest.body.Find("spec");
  const Value& version = spec.Find("versions")->array()->front();
  const Value& schema = *version.FindPath({"schema", "openAPIV3Schema"});
  const std::string_view kind = spec.StringAt({"names", "kind"});
  const std::string_view short_name = *spec.FindPath({"names", "shortNames"})->array()->front().get<std::string>();
  const std::string scope = absl::AsciiStrToLower(ToAbsl(spec.StringAt({"scope"})));
  std::string rows;
  AddRows(schema, "", rows);
  return absl::StrCat("# ", ToAbsl(kind),
                      "\n\n<!-- Generated by `just generate` from include/restate/crd/*.h. Do not edit. -->\n\n",
                      ToAbsl(schema.StringAt({"description"})), Demands(schema),
                      "\n\n`apiVersion: ", ToAbsl(spec.StringAt({"group"})), "/", ToAbsl(version.StringAt({"name"})),
                      "`, `kind: ", ToAbsl(kind), "`, scope ", scope, ", short name `", ToAbsl(short_name),
                      "`.\n\n`[]` stands for each item of a list, `.*` for each entry of a map. A field without a "
                      "default that is not required may be left out.\n\n"
                      "| Field | Type | Default | Meaning |\n|---|---|---|---|\n",
                      rows);
}

}  // namespace

std::string MarkdownCell(std::string_view text) {
  return absl::StrReplaceAll(ToAbsl(text), {{"|", "\\|"}, {"<", "&lt;"}, {"\n", " "}});
}

std::vector<GeneratedFile> ReferencePages() {
  std::vector<GeneratedFile> pages;
  for (const Manifest& manifest : AllManifests()) {
    const std::string singular(manifest.body.StringAt({"spec", "names", "singular"}));
    pages.push_back({singular + ".md", PageOf(manifest)});
  }
  return pages;
}

}  // namespace restate::crd

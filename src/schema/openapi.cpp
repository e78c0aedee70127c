#include "restate/schema/openapi.h"

#include "restate/schema/kubernetes.h"

namespace restate::schema {
namespace {

void AddValidations(json::Object& schema, const CelRules& rules) {
  if (rules.size == 0) return;
  json::Value& validations = schema.emplace("x-kubernetes-validations", json::Array()).first->second;
  for (const CelRule& rule : rules) {
    validations.array()->push_back(json::Obj({{"rule", rule.rule}, {"message", rule.message}}));
  }
}

template <class T>
void AddIf(json::Object& schema, std::string_view key, const std::optional<T>& value) {
  if (value) schema.emplace(key, *value);
}

}  // namespace

json::Object ScalarSchema(std::string_view type, std::string_view format) {
  json::Object schema{{"type", type}};
  if (!format.empty()) schema.emplace("format", format);
  return schema;
}

json::Object EnumSchema(const json::Array& names) { return {{"type", "string"}, {"enum", names}}; }

json::Object UntypedSchema(const Attributes& attributes) {
  if (attributes.content == Content::kTyped) return *KubernetesType(attributes.kubernetes_type).object();
  json::Object schema{{"x-kubernetes-preserve-unknown-fields", true}};
  if (attributes.content == Content::kAnyObject) schema.emplace("type", "object");
  return schema;
}

void Annotate(json::Object& schema, const Attributes& attributes, Presence presence) {
  if (!attributes.doc.empty()) schema.insert_or_assign("description", attributes.doc);
  if (presence == Presence::kNullable) schema.emplace("nullable", true);
  AddIf(schema, "minimum", attributes.min);
  AddIf(schema, "maximum", attributes.max);
  AddIf(schema, "minLength", attributes.min_length);
  AddIf(schema, "maxLength", attributes.max_length);
  if (!attributes.pattern.empty()) schema.emplace("pattern", attributes.pattern);
  if (attributes.atomic) {
    const bool list = schema["type"] == json::Value("array");
    schema.emplace(list ? "x-kubernetes-list-type" : "x-kubernetes-map-type", "atomic");
  }
  if (!attributes.map_key.empty()) {
    schema.emplace("x-kubernetes-list-type", "map");
    schema.emplace("x-kubernetes-list-map-keys", json::Arr({attributes.map_key}));
  }
  AddValidations(schema, attributes.rules);
}

void Constrain(json::Object& schema, const CelRules& rules, const Alternatives& one_of) {
  AddValidations(schema, rules);
  if (one_of.size == 0) return;
  json::Array alternatives;
  for (const std::string_view name : one_of) alternatives.push_back(json::Obj({{"required", json::Arr({name})}}));
  schema.emplace("oneOf", std::move(alternatives));
}

}  // namespace restate::schema

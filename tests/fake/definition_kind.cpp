// A Kind made of a CustomResourceDefinition: the part of structural schemas that our resources use, without CEL.
#include <cstdint>
#include <memory>
#include <regex>

#include "restate/json/text.h"
#include "fake/kind.h"

namespace restate::fake {

using json::Value;

namespace {

std::string Joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

const json::Object& Properties(const Value& schema) {
  static const json::Object kNone;
  const Value* properties = schema.Find("properties");
  return properties && properties->object() ? *properties->object() : kNone;
}

void CollectShape(const Value& schema, const std::string& path, Shape& shape) {
  for (const auto& [name, property] : Properties(schema)) CollectShape(property, Joined(path, name), shape);
  if (schema.StringAt({"x-kubernetes-map-type"}) == "atomic") shape.atomic_maps.insert(path);
  const auto list_type = schema.StringAt({"x-kubernetes-list-type"});
  if (list_type == "set") shape.list_keys[path] = {};
  if (list_type != "map") return;
  std::vector<std::string>& keys = shape.list_keys[path];
  const Value* names = schema.Find("x-kubernetes-list-map-keys");
  for (const Value& name : names && names->array() ? *names->array() : json::Array()) {
    if (const auto* text = name.get<std::string>()) keys.push_back(*text);
  }
  if (const Value* items = schema.Find("items")) CollectShape(*items, path, shape);
}

// Drops what the schema does not know and fills in its defaults; a null where none is allowed gives way to a default.
void Complete(Value& value, const Value& schema, bool root) {
  if (json::Array* items = value.array()) {
    const Value* item_schema = schema.Find("items");
    for (Value& item : *items) {
      if (item_schema) Complete(item, *item_schema, false);
    }
    return;
  }
  json::Object* members = value.object();
  if (!members) return;
  const auto& properties = Properties(schema);
  const Value* additional = schema.Find("additionalProperties");
  const bool keeps = schema.BoolAt({"x-kubernetes-preserve-unknown-fields"}) || additional;
  for (auto it = members->begin(); it != members->end();) {
    const bool identity = root && (it->first == "apiVersion" || it->first == "kind" || it->first == "metadata");
    if (identity) {  // ObjectMeta, whatever else a schema says of it
      ++it;
      continue;
    }
    const auto property = properties.find(it->first);
    if (property == properties.end() && !keeps) {
      it = members->erase(it);
      continue;
    }
    if (property != properties.end()) {
      Complete(it->second, property->second, false);
    } else if (additional && additional->is_object()) {
      Complete(it->second, *additional, false);
    }
    ++it;
  }
  for (const auto& [name, property] : properties) {
    const Value* standard = property.Find("default");
    const Value* found = value.Find(name);
    const bool wants = !found || (found->is_null() && !property.BoolAt({"nullable"}));
    if (standard && wants) {
      value[name] = *standard;
      Complete(value[name], property, false);
    }
  }
}

std::string_view TypeOf(const Value& value) {
  if (value.is_null()) return "null";
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.get<bool>()) return "boolean";
  return value.get<double>() ? "number" : "integer";
}

bool HasType(const Value& value, const Value& schema) {
  if (value.is_null()) return schema.BoolAt({"nullable"});
  const auto wanted = schema.StringAt({"type"});
  const auto type = TypeOf(value);
  if (schema.BoolAt({"x-kubernetes-int-or-string"})) return type == "integer" || type == "string";
  return wanted.empty() || type == wanted || (wanted == "number" && type == "integer");
}

void CheckScalar(const Value& value, const Value& schema, const std::string& path, std::vector<Cause>& causes) {
  const auto invalid = [&](const std::string& why) {
    causes.push_back({"FieldValueInvalid", "Invalid value: " + json::Dump(value) + ": " + path + " in body " + why,
                      path});
  };
  if (const Value* allowed = schema.Find("enum"); allowed && allowed->array()) {
    bool found = false;
    for (const Value& one : *allowed->array()) found = found || one == value;
    if (!found) causes.push_back({"FieldValueNotSupported", "Unsupported value: " + json::Dump(value), path});
  }
  if (const auto* number = value.get<std::int64_t>()) {
    const auto minimum = schema.IntAt({"minimum"}, INT64_MIN), maximum = schema.IntAt({"maximum"}, INT64_MAX);
    if (*number < minimum) invalid("should be greater than or equal to " + std::to_string(minimum));
    if (*number > maximum) invalid("should be less than or equal to " + std::to_string(maximum));
  }
  if (const auto* text = value.get<std::string>()) {
    const auto shortest = schema.IntAt({"minLength"}, 0), longest = schema.IntAt({"maxLength"}, INT64_MAX);
    const auto length = static_cast<std::int64_t>(text->size());
    if (length < shortest) invalid("should be at least " + std::to_string(shortest) + " chars long");
    if (length > longest) invalid("may not be more than " + std::to_string(longest) + " chars long");
    const std::string pattern(schema.StringAt({"pattern"}));
    if (!pattern.empty() && !std::regex_search(*text, std::regex(pattern))) {
      invalid("should match '" + pattern + "'");
    }
  }
}

void Check(const Value& value, const Value& schema, const std::string& path, std::vector<Cause>& causes) {
  if (!HasType(value, schema)) {
    const std::string type(TypeOf(value));
    causes.push_back({"FieldValueTypeInvalid",
                      "Invalid value: \"" + type + "\": " + path + " in body must be of type " +
                          std::string(schema.StringAt({"type"})) + ": \"" + type + "\"",
                      path});
    return;
  }
  CheckScalar(value, schema, path, causes);
  if (const json::Array* items = value.array()) {
    const Value* item_schema = schema.Find("items");
    for (std::size_t i = 0; item_schema && i < items->size(); ++i) {
      Check((*items)[i], *item_schema, path + "[" + std::to_string(i) + "]", causes);
    }
  }
  if (!value.is_object()) return;
  const Value* required = schema.Find("required");
  for (const Value& name : required && required->array() ? *required->array() : json::Array()) {
    const auto* text = name.get<std::string>();
    if (text && !value.Find(*text)) causes.push_back({"FieldValueRequired", "Required value", Joined(path, *text)});
  }
  const Value* additional = schema.Find("additionalProperties");
  for (const auto& [name, member] : *value.object()) {
    const auto property = Properties(schema).find(name);
    if (property != Properties(schema).end()) {
      Check(member, property->second, Joined(path, name), causes);
    } else if (additional && additional->is_object()) {
      Check(member, *additional, Joined(path, name), causes);
    }
  }
}

const Value* ServedVersion(const Value& definition) {
  const Value* versions = definition.FindPath({"spec", "versions"});
  if (!versions || !versions->array()) return nullptr;
  for (const Value& version : *versions->array()) {
    if (version.BoolAt({"served"}, true)) return &version;
  }
  return nullptr;
}

}  // namespace

Kind KindOfDefinition(const Value& definition) {
  Kind kind{.group = std::string(definition.StringAt({"spec", "group"})),
            .version = "",
            .kind = std::string(definition.StringAt({"spec", "names", "kind"})),
            .plural = std::string(definition.StringAt({"spec", "names", "plural"}))};
  kind.namespaced = definition.StringAt({"spec", "scope"}) != "Cluster";
  kind.has_generation = true;
  kind.shape.list_keys["metadata.ownerReferences"] = {"uid"};
  kind.shape.list_keys["metadata.finalizers"] = {};
  const Value* version = ServedVersion(definition);
  if (!version) return kind;
  kind.version = std::string(version->StringAt({"name"}));
  kind.status_subresource = version->FindPath({"subresources", "status"}) != nullptr;
  kind.scale_subresource = version->FindPath({"subresources", "scale"}) != nullptr;
  const Value* found = version->FindPath({"schema", "openAPIV3Schema"});
  if (!found) return kind;
  CollectShape(*found, "", kind.shape);
  const auto schema = std::make_shared<const Value>(*found);
  kind.defaulter = [schema](Value& object) { Complete(object, *schema, true); };
  kind.validate = [schema](const Value& object, const Value*) {
    std::vector<Cause> causes;
    for (const auto& [name, property] : Properties(*schema)) {
      if (name == "metadata" || name == "apiVersion" || name == "kind") continue;
      if (const Value* part = object.Find(name)) Check(*part, property, name, causes);
    }
    const Value* required = schema->Find("required");
    for (const Value& name : required && required->array() ? *required->array() : json::Array()) {
      const auto* text = name.get<std::string>();
      if (text && !object.Find(*text)) causes.push_back({"FieldValueRequired", "Required value", *text});
    }
    return causes;
  };
  return kind;
}

}  // namespace restate::fake

// The structural OpenAPI schema of a struct of field.h, as a CustomResourceDefinition wants it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "restate/json/value.h"
#include "restate/schema/codec.h"
#include "restate/schema/field.h"

namespace restate::schema {

// The schema of T: {"type": "object", "properties": ...}.
template <Described T>
json::Value SchemaOf();

// How a member may be left out.
enum class Presence : std::uint8_t { kRequired, kDefaulted, kOptional, kNullable };

json::Object ScalarSchema(std::string_view type, std::string_view format = "");
json::Object EnumSchema(const json::Array& names);
json::Object UntypedSchema(const Attributes& attributes);
// Adds what a line says to the schema of its type.
void Annotate(json::Object& schema, const Attributes& attributes, Presence presence);
// Adds rules and the exactly-one-of alternatives to the schema of a struct.
void Constrain(json::Object& schema, const CelRules& rules, const Alternatives& one_of);

// What the C++ type alone says. `attributes` are those of the line in which the type stands.
template <class T>
json::Object TypeSchema(const Attributes& attributes) {
  if constexpr (std::is_same_v<T, bool>) {
    return ScalarSchema("boolean");
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return ScalarSchema("integer", "int32");
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return ScalarSchema("integer", "int64");
  } else if constexpr (std::is_same_v<T, std::string>) {
    return ScalarSchema("string");
  } else if constexpr (std::is_same_v<T, absl::Time>) {
    return ScalarSchema("string", "date-time");
  } else if constexpr (std::is_same_v<T, json::Value>) {
    return UntypedSchema(attributes);
  } else if constexpr (Named<T>) {
    json::Array names;
    for (const auto& entry : Names(Of<T>{})) names.push_back(entry.name);
    return EnumSchema(names);
  } else if constexpr (Described<T>) {
    return *SchemaOf<T>().object();
  } else if constexpr (kIsOptional<T>) {
    return TypeSchema<typename T::value_type>(attributes);
  } else if constexpr (requires { typename T::mapped_type; }) {
    return {{"type", "object"}, {"additionalProperties", TypeSchema<typename T::mapped_type>(attributes)}};
  } else {
    return {{"type", "array"}, {"items", TypeSchema<typename T::value_type>(attributes)}};
  }
}

template <class C, class M>
Presence PresenceOf(const Line<C, M>& line, const Alternatives& one_of) {
  if (!kIsOptional<M>) return line.attributes.has_default ? Presence::kDefaulted : Presence::kRequired;
  const bool alternative = std::find(one_of.begin(), one_of.end(), line.attributes.name) != one_of.end();
  return line.attributes.nullable && !alternative ? Presence::kNullable : Presence::kOptional;
}

template <Described T>
json::Value SchemaOf() {
  const T initial{};
  json::Object properties;
  json::Array required;
  const auto add = [&]<class M>(const Line<T, M>& line) {
    const Presence presence = PresenceOf(line, kTable<T>.one_of);
    json::Object schema = TypeSchema<M>(line.attributes);
    Annotate(schema, line.attributes, presence);
    if (presence == Presence::kDefaulted) schema.emplace("default", Encode(initial.*line.member));
    if (presence == Presence::kRequired) required.push_back(line.attributes.name);
    properties.emplace(line.attributes.name, std::move(schema));
  };
  std::apply([&](const auto&... line) { (add(line), ...); }, kTable<T>.lines);
  json::Object schema{{"type", "object"}, {"description", kTable<T>.doc}, {"properties", std::move(properties)}};
  if (!required.empty()) schema.emplace("required", std::move(required));
  Constrain(schema, kTable<T>.rules, kTable<T>.one_of);
  return schema;
}

}  // namespace restate::schema

// Pkl classes made from OpenAPI schemas as openapi.h makes them: what the API server would refuse, Pkl refuses before,
// as far as types, enums, ranges, lengths, patterns, required members and "exactly one of" go. CEL rules stay with the
// API server; their messages are in the comments.
#pragma once

#include <string>
#include <string_view>

#include "restate/json/value.h"

namespace restate::schema {

// The classes of one module.
class PklClasses {
 public:
  // Puts a Kubernetes type (kubernetes.h) into this module, as a class of its name. Other types that it has are taken
  // from the module, too: put them there as well.
  void AddKubernetesType(std::string_view type);
  // Puts the struct that `schema` describes into this module. Kubernetes types are taken from the module Kubernetes.
  void Add(const std::string& name, const json::Value& schema);

  const std::string& text() const { return text_; }
  bool uses_kubernetes() const { return uses_kubernetes_; }

 private:
  std::string TypeOf(const json::Value& schema, const std::string& class_name);
  std::string PropertyOf(const json::Value& parent, const std::string& name, const json::Value& schema,
                         const std::string& class_name);
  void AddClass(const std::string& name, const json::Value& schema, const std::string& prefix);

  std::string text_;
  bool in_kubernetes_ = false;  // this is the module of the Kubernetes types
  bool uses_kubernetes_ = false;
};

// `text` as doc comments of at most 120 columns, each line behind `indent`; nothing for an empty one.
std::string PklComment(std::string_view text, std::string_view indent);

// `name` as Pkl takes it for a property: in backticks where it is a keyword or no identifier.
std::string PklName(std::string_view name);

}  // namespace restate::schema

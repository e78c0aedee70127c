// Values against structural schemas, as API servers understand those of a CRD.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "restate/json/value.h"

namespace restate::cli {

class SchemaCheck {
 public:
  // Puts defaults into `value` and notes what breaks the schema. `path` names the value; empty: the whole object.
  void Check(json::Value& value, const json::Value& schema, const std::string& path);
  void Note(std::string_view path, std::string_view what);

  std::vector<std::string> mistakes;

 private:
  void CheckNull(const json::Value& schema, const std::string& path);
  bool CheckType(const json::Value& value, const json::Value& schema, const std::string& path);
  void CheckObject(json::Value& value, const json::Value& schema, const std::string& path);
  void CheckMember(json::Value& object, const std::string& name, const json::Value& schema, const std::string& path);
  void CheckArray(json::Value& value, const json::Value& schema, const std::string& path);
  void CheckKeys(const json::Array& items, const json::Value& schema, const std::string& path);
  void CheckText(const std::string& text, const json::Value& schema, const std::string& path);
  void CheckNumber(const json::Value& value, const json::Value& schema, const std::string& path);
  void CheckOneOf(const json::Value& value, const json::Value& schema, const std::string& path);
  void CheckRules(const json::Value& value, const json::Value& schema, const std::string& path);
};

// Whether this rule of a schema (a CEL expression) is one that SchemaCheck knows what to do with.
bool IsKnownRule(std::string_view rule);

}  // namespace restate::cli

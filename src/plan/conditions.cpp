#include "restate/plan/conditions.h"

#include "absl/strings/str_cat.h"

namespace restate::plan {

const json::Value* ConditionIn(const json::Value& object, std::string_view type) {
  const json::Value* conditions = object.FindPath({"status", "conditions"});
  if (!conditions || !conditions->array()) return nullptr;
  for (const json::Value& condition : *conditions->array()) {
    if (condition.StringAt({"type"}) == type) return &condition;
  }
  return nullptr;
}

bool IsTrue(const json::Value& object, std::string_view type) {
  const json::Value* condition = ConditionIn(object, type);
  return condition && condition->StringAt({"status"}) == "True";
}

std::string Joined(std::string_view reason, std::string_view message) {
  return absl::StrCat(std::string(reason), reason.empty() || message.empty() ? "" : ": ", std::string(message));
}

std::string WordsOf(const json::Value& object, std::string_view type) {
  const json::Value* condition = ConditionIn(object, type);
  return condition ? Joined(condition->StringAt({"reason"}), condition->StringAt({"message"})) : std::string();
}

}  // namespace restate::plan

// Conditions in the statuses of objects that others write.
#pragma once

#include <string>
#include <string_view>

#include "restate/json/value.h"

namespace restate::plan {

// nullptr: there is none of that type.
const json::Value* ConditionIn(const json::Value& object, std::string_view type);
bool IsTrue(const json::Value& object, std::string_view type);

// "Reason: message", or what there is of it.
std::string Joined(std::string_view reason, std::string_view message);
// The same of a condition; empty: there is none, or it says nothing.
std::string WordsOf(const json::Value& object, std::string_view type);

}  // namespace restate::plan

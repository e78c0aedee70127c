// What the statuses of our three kinds say, read from their JSON.
#pragma once

#include <optional>
#include <string_view>

#include "absl/time/time.h"
#include "restate/json/value.h"

namespace restate::cli {

// The time at a path; nullopt: none, or out of shape.
std::optional<absl::Time> TimeAt(const json::Value& value, std::initializer_list<std::string_view> path);
// When the condition took its present status.
std::optional<absl::Time> SinceOf(const json::Value* condition);
// Whether somebody asked for its deletion.
bool IsDeleting(const json::Value& object);
// Whether the operator holds off: it says so, or the annotation does and it has not looked yet.
bool IsHeldOff(const json::Value& object);

}  // namespace restate::cli

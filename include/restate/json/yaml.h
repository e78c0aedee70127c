// YAML, as far as Kubernetes uses it: text of a Value, and reading kubeconfig and manifests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/json/value.h"

namespace restate::json {

// Block style YAML of a value, keys sorted, long texts as block scalars. `kubectl apply -f` reads it back as the same value.
std::string ToYaml(const Value& value);

// Reads all documents of a YAML (or JSON) text with the YAML 1.2 core schema for plain scalars, so that "no" stays a string.
// Aliases are expanded within a limit of 100,000 nodes. Errors name line and column.
absl::StatusOr<std::vector<Value>> ParseYaml(std::string_view text);

}  // namespace restate::json

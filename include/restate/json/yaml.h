// YAML, as far as Kubernetes uses it: text of a Value, and reading kubeconfig and manifests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/json/value.h"

namespace restate::json {

// Block style YAML of a value, keys sorted, long texts as block scalars. YAML 1.1 and 1.2 readers, `kubectl apply -f`
// among them, read it back as the same value.
std::string ToYaml(const Value& value);

// JSON text of a value that YAML readers read as the same value. In plain JSON text they refuse some characters, such
// as 0x7F, and take some others, such as 0x2028, for line breaks.
std::string ToFlowYaml(const Value& value);

// Reads all documents of a YAML (or JSON) text; empty ones are left out. Plain scalars follow the YAML 1.2 core schema,
// so that "no" stays a string, with one exception: 0644 is octal, as kubectl has it. Infinities and NaN stay strings.
// Errors (kInvalidSpec) name line and column: syntax, a key that occurs twice or is no text, merge keys (<<), more than
// 500 levels, and anchors and aliases that would make more than 100,000 nodes.
absl::StatusOr<std::vector<Value>> ParseYaml(std::string_view text);

}  // namespace restate::json

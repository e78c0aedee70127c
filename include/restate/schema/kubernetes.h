// Schemas of Kubernetes' own types that occur inside our kinds. They are data, src/schema/kubernetes/<type>.json, in
// the shape that the API server publishes them, without descriptions.
#pragma once

#include <string_view>
#include <vector>

#include "restate/json/value.h"

namespace restate::schema {

// The structural schema of "Affinity", "Container", ... An unknown type is a mistake in a field table: the process
// aborts, in the first test that makes the schema. Thread safe.
const json::Value& KubernetesType(std::string_view type);

// The name of the type whose schema this is, but for a description and what Annotate adds to a line; empty: none of
// them.
std::string_view KubernetesTypeOf(const json::Value& schema);

// The names of all of them, in alphabetical order.
std::vector<std::string_view> KubernetesTypeNames();

}  // namespace restate::schema

// Schemas of Kubernetes' own types that occur inside our kinds. They are data, src/schema/kubernetes/<type>.json, in
// the shape that the API server publishes them, without descriptions.
#pragma once

#include <string_view>

#include "restate/json/value.h"

namespace restate::schema {

// The structural schema of "Affinity", "Container", ... An unknown type is a mistake in a field table: the process
// aborts, in the first test that makes the schema. Thread safe.
const json::Value& KubernetesType(std::string_view type);

}  // namespace restate::schema

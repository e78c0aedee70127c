// Kubernetes quantities: "1", "1000m", "1Gi", "1e3".
#pragma once

#include <compare>
#include <optional>

#include "restate/json/value.h"

namespace restate::kube {

// Whether two values (strings, or numbers as YAML has them) are quantities of the same amount. Exact down to 1e-9,
// which is the finest the API server keeps.
bool SameQuantity(const json::Value& a, const json::Value& b);

// Which of two amounts is the larger one; nullopt: one of them is no quantity, or larger or finer than the API server
// keeps.
std::optional<std::strong_ordering> CompareQuantities(const json::Value& a, const json::Value& b);

}  // namespace restate::kube

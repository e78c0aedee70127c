// What deleting a RestateDeployment does with invocations that have not ended.
#pragma once

#include <array>
#include <cstdint>

#include "restate/schema/field.h"

namespace restate::crd {

enum class DeletePolicy : std::uint8_t { kDrain, kForce };

constexpr auto Names(schema::Of<DeletePolicy>) {
  return std::to_array<schema::EnumName<DeletePolicy>>({
      {DeletePolicy::kDrain, "drain"},
      {DeletePolicy::kForce, "force"},
  });
}

enum class OnTimeout : std::uint8_t { kHold, kForce };

constexpr auto Names(schema::Of<OnTimeout>) {
  return std::to_array<schema::EnumName<OnTimeout>>({
      {OnTimeout::kHold, "hold"},
      {OnTimeout::kForce, "force"},
  });
}

}  // namespace restate::crd

// What the status of every kind shares: its conditions, and whether the operator is at work on it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "restate/schema/field.h"

namespace restate::crd {

// One observation about the object. The conditions of an object are a list with at most one entry per type.
struct Condition {
  std::string type;    // "Ready"
  std::string status;  // "True", "False" or "Unknown"
  std::optional<std::string> reason;
  std::optional<std::string> message;
  std::optional<absl::Time> last_transition_time;  // when `status` last changed
  std::optional<std::int64_t> observed_generation;

  friend bool operator==(const Condition&, const Condition&) = default;
};

constexpr auto Describe(schema::Of<Condition>) {
  using C = Condition;
  return schema::Struct(
      "One thing the operator observed about this object.",
      schema::Field("type", &C::type, "What the condition is about, such as Ready."),
      schema::Field("status", &C::status, "True, False, or Unknown when the operator could not find out."),
      schema::Field("reason", &C::reason, "One CamelCase word for programs: why the status is what it is."),
      schema::Field("message", &C::message, "The reason in a sentence, with the next step where there is one."),
      schema::Field("lastTransitionTime", &C::last_transition_time,
                    "When the status last changed from one value to another."),
      schema::Field("observedGeneration", &C::observed_generation,
                    "metadata.generation that the condition is about; tools compare it to tell old news."));
}

enum class Reconciliation : std::uint8_t { kReconciling, kDisabled, kResuming };

constexpr auto Names(schema::Of<Reconciliation>) {
  return std::to_array<schema::EnumName<Reconciliation>>({
      {Reconciliation::kReconciling, "Reconciling"},
      {Reconciliation::kDisabled, "Disabled"},
      {Reconciliation::kResuming, "ResumingReconciliation"},
  });
}

inline constexpr std::string_view kReconciliationDoc =
    "Reconciling: the operator is in charge. Disabled: the annotation restate.dev/reconcile=disabled holds it off. "
    "ResumingReconciliation: it is back in charge and the object is not Ready yet.";

}  // namespace restate::crd

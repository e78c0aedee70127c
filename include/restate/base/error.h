// Reason: one row per way to fail or to wait. The row fixes the condition reason, the metric label, the class of retry
// and the event, so that the four cannot disagree. An absl::Status carries its Reason as a payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace restate {

// What a failure means for the next pass.
enum class ErrorClass : std::uint8_t {
  kWait,              // not an error: a watch event or the given time brings the next pass
  kUserMistake,       // nothing changes until the object does: no hot retry
  kMissingReference,  // something the object names is not there yet
  kLostRace,          // our view was stale (409, precondition): at once, rate limited
  kOtherSideDown,     // 429, 5xx, unreachable: back-off, Retry-After wins
  kOtherSideRefused,  // 422, admin 4xx: back-off
  kNotAllowed,        // 401, 403: back-off to the maximum
  kOurBug,            // back-off
};

// In the order of the table in error.cpp, which a test checks.
enum class Reason : std::uint8_t {
  kDeployed,
  kSuspended,
  kScaledToZero,
  kClusterNotReady,
  kClusterNotFound,
  kCloudEnvironmentNotFound,
  kSecretNotFound,
  kSecretKeyNotFound,
  kInvalidBearerToken,
  kReplicaSetNoStatus,
  kReplicaSetScaling,
  kReplicaSetPodNotReady,
  kReplicaSetPodNotAvailable,
  kKnativeNotInstalled,
  kConfigurationNotReady,
  kRouteNotReady,
  kReconciled,
  kNamespaceTerminating,
  kStatefulSetReplaced,
  kStatefulSetNoStatus,
  kStatefulSetScaling,
  kStatefulSetUpdating,
  kStatefulSetPodNotReady,
  kClaimNotBound,
  kAskingNodes,
  kProvisioningPodNotRunning,
  kProvisioned,
  kProvisioningFailed,
  kProvisioningUnsafe,
  kNodesNotHealthy,
  kSecretProviderClassesDisabled,
  kPodIdentityNotSynced,
  kPodIdentityCanaryFailed,
  kPodIdentityCanaryPending,
  kPolicyMemberCrdNotFound,
  kPolicyMemberNotReady,
  kWorkloadIdentityCanaryFailed,
  kWorkloadIdentityCanaryPending,
  kTunnelPodsNotReady,
  kConfirmingRegistration,
  kWaitingForUsage,
  kNotLatest,
  kForeignDeployment,
  kHashCollision,
  kNameTaken,
  kDeploymentInUse,
  kDeletionOverdue,
  kDeploymentDraining,
  kForcingDeletion,
  kInvalidRestateConfig,
  kInvalidSpec,
  kAdminBusy,
  kAdminCallFailed,
  kAdminCallRejected,
  kApiConflict,
  kApiUnavailable,
  kApiRejected,
  kApiNotFound,
  kApiForbidden,
  kNotSynced,
  kStopped,
  kDeadlineExceeded,
  kInternalError,
};

inline constexpr std::size_t kReasonCount = static_cast<std::size_t>(Reason::kInternalError) + 1;

struct ReasonRow {
  Reason reason;
  std::string_view name;  // condition reason; CamelCase as Kubernetes wants it
  ErrorClass error_class;
  std::string_view metric;  // label `error` of restate_operator_reconciliation_errors_total; empty: never counted
  bool event;               // a Warning event goes with it
};

// The row of `reason`. Never fails: the table is complete by construction.
const ReasonRow& RowOf(Reason reason);

// For people who run a platform and know no code, one sentence each: why it happens; which field or command helps.
std::string_view CauseOf(Reason reason);
std::string_view CureOf(Reason reason);

// The kinds whose status can show it, comma-separated; empty: only the log and the page `/` show it.
std::string_view KindsOf(Reason reason);

// The first reason of this name, as a condition shows it; nullopt: not one of ours. Reasons that share a name share
// cause, cure and kinds.
std::optional<Reason> ReasonOf(std::string_view name);

// A Status of this reason; its code is derived from the class, its message is for people: it names the field or object
// and the next step.
absl::Status MakeError(Reason reason, std::string_view message);

// The reason a status carries; kInternalError for one that carries none.
Reason ReasonOf(const absl::Status& status);

// `status` with the wait that the other side asked for (Retry-After).
absl::Status WithRetryAfter(absl::Status status, absl::Duration wait);
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

// The message as std::string_view (absl's own string_view is another type in Debian's build).
std::string_view MessageOf(const absl::Status& status);

// `status` with `prefix` and ": " before its message; code and payloads stay.
absl::Status Annotate(const absl::Status& status, std::string_view prefix);

}  // namespace restate

// Leaves the function with the error of a Status expression.
#define RETURN_IF_ERROR(expr)                          \
  do {                                                 \
    if (absl::Status s_ = (expr); !s_.ok()) return s_; \
  } while (false)

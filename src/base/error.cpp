#include "restate/base/error.h"

#include <array>
#include <charconv>

#include "absl/strings/cord.h"

namespace restate {
namespace {

using enum ErrorClass;

constexpr std::string_view kReasonPayload = "restate.dev/reason";
constexpr std::string_view kRetryAfterPayload = "restate.dev/retry-after-ms";

// The metric labels are the reference's where it has one: dashboards exist.
constexpr std::array kTable{
    ReasonRow{Reason::kDeployed, "Deployed", kWait, "", false},
    ReasonRow{Reason::kSuspended, "Disabled", kWait, "", false},
    ReasonRow{Reason::kScaledToZero, "ScaledToZero", kWait, "", false},
    ReasonRow{Reason::kClusterNotReady, "ClusterNotReady", kWait, "", false},
    ReasonRow{Reason::kClusterNotFound, "InvalidRestateConfig", kMissingReference, "InvalidRestateConfig", true},
    ReasonRow{Reason::kCloudEnvironmentNotFound, "RestateCloudEnvironmentNotFound", kMissingReference,
              "RestateCloudEnvironmentNotFound", true},
    ReasonRow{Reason::kSecretNotFound, "SecretNotFound", kMissingReference, "SecretNotFound", true},
    ReasonRow{Reason::kSecretKeyNotFound, "SecretKeyNotFound", kMissingReference, "SecretKeyNotFound", true},
    ReasonRow{Reason::kInvalidBearerToken, "InvalidBearerToken", kMissingReference, "InvalidBearerToken", true},
    ReasonRow{Reason::kReplicaSetNoStatus, "ReplicaSetNoStatus", kWait, "", false},
    ReasonRow{Reason::kReplicaSetScaling, "ReplicaSetScaling", kWait, "", false},
    ReasonRow{Reason::kReplicaSetPodNotReady, "ReplicaSetPodNotReady", kWait, "", false},
    ReasonRow{Reason::kReplicaSetPodNotAvailable, "ReplicaSetPodNotAvailable", kWait, "", false},
    ReasonRow{Reason::kKnativeNotInstalled, "KnativeNotInstalled", kWait, "", false},
    ReasonRow{Reason::kConfigurationNotReady, "ConfigurationNotReady", kWait, "", false},
    ReasonRow{Reason::kRouteNotReady, "RouteNotReady", kWait, "", false},
    ReasonRow{Reason::kReconciled, "Reconciled", kWait, "", false},
    ReasonRow{Reason::kNamespaceTerminating, "NamespaceTerminating", kWait, "", false},
    ReasonRow{Reason::kStatefulSetReplaced, "StatefulSetReplaced", kWait, "", false},
    ReasonRow{Reason::kStatefulSetNoStatus, "StatefulSetNoStatus", kWait, "", false},
    ReasonRow{Reason::kStatefulSetScaling, "StatefulSetScaling", kWait, "", false},
    ReasonRow{Reason::kStatefulSetUpdating, "StatefulSetUpdating", kWait, "", false},
    ReasonRow{Reason::kStatefulSetPodNotReady, "StatefulSetPodNotReady", kWait, "", false},
    ReasonRow{Reason::kClaimNotBound, "PersistentVolumeClaimNotBound", kWait, "", false},
    ReasonRow{Reason::kAskingNodes, "AskingNodes", kWait, "", false},
    ReasonRow{Reason::kProvisioningPodNotRunning, "ProvisioningPodNotRunning", kWait, "", false},
    ReasonRow{Reason::kProvisioned, "Provisioned", kWait, "", false},
    ReasonRow{Reason::kProvisioningFailed, "ProvisioningFailed", kOtherSideDown, "ProvisioningFailed", true},
    ReasonRow{Reason::kProvisioningUnsafe, "ProvisioningUnsafe", kUserMistake, "ProvisioningUnsafe", true},
    ReasonRow{Reason::kNodesNotHealthy, "NodesNotHealthy", kWait, "", false},
    ReasonRow{Reason::kSecretProviderClassesDisabled, "SecretProviderClassesDisabled", kUserMistake,
              "SecretProviderClassesDisabled", true},
    ReasonRow{Reason::kPodIdentityNotSynced, "PodIdentityAssociationNotSynced", kWait, "", false},
    ReasonRow{Reason::kPodIdentityCanaryFailed, "PodIdentityAssociationCanaryFailed", kWait, "", false},
    ReasonRow{Reason::kPodIdentityCanaryPending, "PodIdentityAssociationCanaryPending", kWait, "", false},
    ReasonRow{Reason::kPolicyMemberCrdNotFound, "IAMPolicyMemberCRDNotFound", kWait, "", false},
    ReasonRow{Reason::kPolicyMemberNotReady, "IAMPolicyMemberNotReady", kWait, "", false},
    ReasonRow{Reason::kWorkloadIdentityCanaryFailed, "WorkloadIdentityCanaryFailed", kWait, "", false},
    ReasonRow{Reason::kWorkloadIdentityCanaryPending, "WorkloadIdentityCanaryPending", kWait, "", false},
    ReasonRow{Reason::kTunnelPodsNotReady, "TunnelPodsNotReady", kWait, "", false},
    ReasonRow{Reason::kConfirmingRegistration, "ConfirmingRegistration", kWait, "", false},
    ReasonRow{Reason::kWaitingForUsage, "WaitingForUsage", kWait, "", false},
    ReasonRow{Reason::kNotLatest, "NotLatest", kWait, "", false},
    ReasonRow{Reason::kForeignDeployment, "ForeignDeployment", kWait, "", false},
    ReasonRow{Reason::kHashCollision, "HashCollision", kLostRace, "", false},
    ReasonRow{Reason::kNameTaken, "NameTaken", kUserMistake, "NameTaken", true},
    ReasonRow{Reason::kDeploymentInUse, "DeploymentInUse", kWait, "DeploymentInUse", true},
    ReasonRow{Reason::kDeletionOverdue, "DeletionDrainOverdue", kWait, "DeletionDrainOverdue", true},
    ReasonRow{Reason::kDeploymentDraining, "DeploymentDraining", kWait, "DeploymentDraining", false},
    ReasonRow{Reason::kForcingDeletion, "ForcingDeletion", kWait, "", false},
    ReasonRow{Reason::kInvalidRestateConfig, "InvalidRestateConfig", kUserMistake, "InvalidRestateConfig", true},
    ReasonRow{Reason::kInvalidSpec, "InvalidSpec", kUserMistake, "InvalidSpec", true},
    ReasonRow{Reason::kAdminBusy, "AdminBusy", kWait, "", false},
    ReasonRow{Reason::kAdminCallFailed, "AdminCallFailed", kOtherSideDown, "AdminCallFailed", true},
    ReasonRow{Reason::kAdminCallRejected, "AdminCallRejected", kOtherSideRefused, "AdminCallRejected", true},
    ReasonRow{Reason::kApiConflict, "Conflict", kLostRace, "KubeError", false},
    ReasonRow{Reason::kApiUnavailable, "KubernetesUnavailable", kOtherSideDown, "KubeError", false},
    ReasonRow{Reason::kApiRejected, "FailedReconcile", kOtherSideRefused, "KubeError", true},
    ReasonRow{Reason::kApiNotFound, "FailedReconcile", kOtherSideRefused, "KubeError", true},
    ReasonRow{Reason::kApiForbidden, "FailedReconcile", kNotAllowed, "KubeError", true},
    ReasonRow{Reason::kNotSynced, "NotSynced", kWait, "", false},
    ReasonRow{Reason::kStopped, "Stopped", kWait, "", false},
    ReasonRow{Reason::kDeadlineExceeded, "DeadlineExceeded", kOtherSideDown, "DeadlineExceeded", true},
    ReasonRow{Reason::kInternalError, "InternalError", kOurBug, "InternalError", true},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].reason) != i) return false;
  }
  return kTable.size() == kReasonCount;
}
static_assert(InOrder(), "every Reason has its row, in the order of the enum");

absl::StatusCode CodeOf(ErrorClass error_class) {
  switch (error_class) {
    case kWait: return absl::StatusCode::kFailedPrecondition;
    case kUserMistake: return absl::StatusCode::kInvalidArgument;
    case kMissingReference: return absl::StatusCode::kNotFound;
    case kLostRace: return absl::StatusCode::kAborted;
    case kOtherSideDown: return absl::StatusCode::kUnavailable;
    case kOtherSideRefused: return absl::StatusCode::kInvalidArgument;
    case kNotAllowed: return absl::StatusCode::kPermissionDenied;
    case kOurBug: return absl::StatusCode::kInternal;
  }
  return absl::StatusCode::kInternal;
}

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

std::optional<std::int64_t> NumberIn(const absl::Status& status, std::string_view payload) {
  const auto cord = status.GetPayload(ToAbsl(payload));
  if (!cord) return std::nullopt;
  const std::string text(*cord);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

const ReasonRow& RowOf(Reason reason) { return kTable[static_cast<std::size_t>(reason)]; }

absl::Status MakeError(Reason reason, std::string_view message) {
  absl::Status status(CodeOf(RowOf(reason).error_class), ToAbsl(message));
  status.SetPayload(ToAbsl(kReasonPayload), absl::Cord(std::to_string(static_cast<int>(reason))));
  return status;
}

Reason ReasonOf(const absl::Status& status) {
  const auto number = NumberIn(status, kReasonPayload);
  if (!number || *number < 0 || *number >= static_cast<std::int64_t>(kTable.size())) return Reason::kInternalError;
  return static_cast<Reason>(*number);
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration wait) {
  status.SetPayload(ToAbsl(kRetryAfterPayload), absl::Cord(std::to_string(absl::ToInt64Milliseconds(wait))));
  return status;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const auto number = NumberIn(status, kRetryAfterPayload);
  if (!number) return std::nullopt;
  return absl::Milliseconds(*number);
}

std::string_view MessageOf(const absl::Status& status) { return {status.message().data(), status.message().size()}; }

absl::Status Annotate(const absl::Status& status, std::string_view prefix) {
  std::string message(prefix);
  message.append(": ").append(MessageOf(status));
  absl::Status annotated(status.code(), message);
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) { annotated.SetPayload(url, payload); });
  return annotated;
}

}  // namespace restate

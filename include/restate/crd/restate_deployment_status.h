// The status of a RestateDeployment. The counters are those of the latest version.
//
// A reader should take a status that does not decode for an absent one: another version of the operator may have
// written it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "restate/crd/condition.h"
#include "restate/crd/delete_policy.h"
#include "restate/schema/field.h"

namespace restate::crd {

struct KnativeStatus {
  std::optional<std::string> configuration_name;
  std::optional<std::string> route_name;
  std::optional<std::string> url;
  std::optional<std::string> latest_revision;

  friend bool operator==(const KnativeStatus&, const KnativeStatus&) = default;
};

constexpr auto Describe(schema::Of<KnativeStatus>) {
  using S = KnativeStatus;
  return schema::Struct(
      "The Knative objects of the current version, in knative mode.",
      schema::Field("configurationName", &S::configuration_name, "Name of the Configuration."),
      schema::Field("routeName", &S::route_name, "Name of the Route."),
      schema::Field("url", &S::url, "URL of the Route, which is registered with Restate."),
      schema::Field("latestRevision", &S::latest_revision, "Revision that the Route sends requests to."));
}

enum class DeletionPhase : std::uint8_t { kDraining, kOverdue, kForcing };

constexpr auto Names(schema::Of<DeletionPhase>) {
  return std::to_array<schema::EnumName<DeletionPhase>>({
      {DeletionPhase::kDraining, "Draining"},
      {DeletionPhase::kOverdue, "Overdue"},
      {DeletionPhase::kForcing, "Forcing"},
  });
}

struct PendingInvocations {
  std::string version;
  std::optional<std::string> deployment_id;
  std::int64_t pinned = 0;
  std::int64_t unpinned = 0;

  friend bool operator==(const PendingInvocations&, const PendingInvocations&) = default;
};

constexpr auto Describe(schema::Of<PendingInvocations>) {
  using S = PendingInvocations;
  return schema::Struct(
      "A version that the deletion waits for.",
      schema::Field("version", &S::version, "Name of the version's ReplicaSet or Configuration."),
      schema::Field("deploymentId", &S::deployment_id, "Its id in Restate (dp_...), if it was registered."),
      schema::Field("pinned", &S::pinned, "Unfinished invocations that started on this version and must end on it."),
      schema::Field("unpinned", &S::unpinned,
                    "Unfinished invocations that have not started and would start on this version."));
}

struct DeletionStatus {
  DeletePolicy policy = DeletePolicy::kDrain;
  DeletionPhase phase = DeletionPhase::kDraining;
  std::optional<absl::Time> started_at;
  std::optional<absl::Time> deadline;
  std::optional<OnTimeout> on_timeout;
  std::optional<std::string> message;
  std::int64_t total_pending_invocations = 0;
  std::optional<std::vector<PendingInvocations>> pending_invocations;

  friend bool operator==(const DeletionStatus&, const DeletionStatus&) = default;
};

constexpr auto Describe(schema::Of<DeletionStatus>) {
  using S = DeletionStatus;
  return schema::Struct(
      "How far a requested deletion has come; absent while the object is not being deleted.",
      schema::Field("policy", &S::policy, "The deletePolicy that applies: drain or force."),
      schema::Field("phase", &S::phase,
                    "Draining: waiting for invocations or for the drain delay. Overdue: still waiting past the "
                    "deadline. Forcing: "
                    "removing versions whatever their work."),
      schema::Field("startedAt", &S::started_at, "When the deletion was requested."),
      schema::Field("deadline", &S::deadline, "When onTimeout takes effect."),
      schema::Field("onTimeout", &S::on_timeout, "What happens at the deadline: hold or force."),
      schema::Field("message", &S::message, "What the deletion waits for, in a sentence."),
      schema::Field("totalPendingInvocations", &S::total_pending_invocations,
                    "Unfinished invocations over all versions, pinned and unpinned."),
      schema::Field("pendingInvocations", &S::pending_invocations, "The versions that hold the deletion up.")
          .NotNullable());
}

enum class VersionPhase : std::uint8_t { kCurrent, kDraining, kDrained, kRemoving };

constexpr auto Names(schema::Of<VersionPhase>) {
  return std::to_array<schema::EnumName<VersionPhase>>({
      {VersionPhase::kCurrent, "Current"},
      {VersionPhase::kDraining, "Draining"},
      {VersionPhase::kDrained, "Drained"},
      {VersionPhase::kRemoving, "Removing"},
  });
}

// How many entries of each list a status shows, so that no object outgrows what the API server stores.
inline constexpr std::size_t kVersionsShown = 20;
inline constexpr std::size_t kImagesShown = 5;
inline constexpr std::size_t kRegistrationsShown = 5;

struct VersionStatus {
  std::string name;
  VersionPhase phase = VersionPhase::kCurrent;
  std::optional<std::string> deployment_id;
  std::optional<std::vector<std::string>> images;
  std::optional<std::int32_t> replicas;
  std::optional<std::map<std::string, std::int64_t>> invocations;
  std::optional<absl::Time> oldest_invocation;
  std::optional<absl::Time> removed_at;
  std::optional<std::vector<std::string>> registered_at;
  std::optional<std::string> message;

  friend bool operator==(const VersionStatus&, const VersionStatus&) = default;
};

constexpr auto Describe(schema::Of<VersionStatus>) {
  using S = VersionStatus;
  return schema::Struct(
      "A version that exists.", schema::Field("name", &S::name, "Name of the version's ReplicaSet or Configuration."),
      schema::Field("phase", &S::phase,
                    "Current: the wanted version. Draining: unfinished work holds it, or it still gets new work. "
                    "Drained: it has no work and waits for its removal, or is kept as history without pods. Removing: "
                    "it is going away."),
      schema::Field("deploymentId", &S::deployment_id, "Its id in Restate (dp_...), if it is registered."),
      schema::Field("images", &S::images, "Images of its containers, five at most.").NotNullable(),
      schema::Field("replicas", &S::replicas, "Pods that are wanted for it."),
      schema::Field("invocations", &S::invocations,
                    "Unfinished invocations that must end on it, counted by their status in Restate; only of versions "
                    "that drain. `attempting` counts attempts that nothing pins yet, `unpinned` those that wait for "
                    "its services."),
      schema::Field("oldestInvocation", &S::oldest_invocation, "When the oldest of them was created."),
      schema::Field("removedAt", &S::removed_at, "When it is removed if no new work comes before."),
      schema::Field("registeredAt", &S::registered_at,
                    "Admin APIs it was registered with; more than one when spec.restate.register changed. It is kept "
                    "until none of them has work for it.")
          .NotNullable(),
      schema::Field("message", &S::message, "What its removal waits for, where that is not its work."));
}

struct RestateDeploymentStatus {
  std::optional<std::string> deployment_id;
  std::int32_t replicas = 0;
  std::optional<std::int32_t> desired_replicas;
  std::optional<std::int32_t> ready_replicas;
  std::optional<std::int32_t> available_replicas;
  std::optional<std::int32_t> unavailable_replicas;
  std::optional<std::int32_t> collision_count;
  std::optional<std::int64_t> observed_generation;
  std::optional<std::string> label_selector;
  std::optional<Reconciliation> reconciliation;
  std::optional<std::vector<Condition>> conditions;
  std::optional<KnativeStatus> knative;
  std::optional<DeletionStatus> deletion;
  std::optional<std::vector<VersionStatus>> versions;

  friend bool operator==(const RestateDeploymentStatus&, const RestateDeploymentStatus&) = default;
};

constexpr auto Describe(schema::Of<RestateDeploymentStatus>) {
  using S = RestateDeploymentStatus;
  return schema::Struct(
      "What the operator last saw. The counters are those of the latest version.",
      schema::Field("deploymentId", &S::deployment_id, "Id of the latest version in Restate (dp_...)."),
      schema::Field("replicas", &S::replicas, "Pods that exist."),
      schema::Field("desiredReplicas", &S::desired_replicas, "Pods that are wanted."),
      schema::Field("readyReplicas", &S::ready_replicas, "Pods that are ready."),
      schema::Field("availableReplicas", &S::available_replicas, "Pods that have been ready for minReadySeconds."),
      schema::Field("unavailableReplicas", &S::unavailable_replicas, "Wanted pods that are not available."),
      schema::Field("collisionCount", &S::collision_count,
                    "How often a version's name was taken by something else; part of the name's hash."),
      schema::Field("observedGeneration", &S::observed_generation, "metadata.generation that this status is about."),
      schema::Field("labelSelector", &S::label_selector,
                    "Selector of the latest version's pods, as text; the scale subresource hands it to autoscalers."),
      schema::Field("reconciliation", &S::reconciliation, kReconciliationDoc),
      schema::Field(
          "conditions", &S::conditions,
          "Observations, one per type. Ready is True when Restate sends new invocations to the latest version. "
          "Reconciling is there while the operator works towards that, Stalled when it cannot without a person."),
      schema::Field("knative", &S::knative), schema::Field("deletion", &S::deletion),
      schema::Field("versions", &S::versions, "The versions that exist, newest first, twenty at most.").NotNullable());
}

}  // namespace restate::crd

#include "restate/deployment/gates.h"

#include "absl/strings/str_cat.h"

namespace restate::deployment {
namespace {

plan::Wait Counted(Reason reason, const Observed& seen, std::int64_t actual, std::string_view what) {
  return {reason, absl::StrCat("ReplicaSet ", seen.name, " has ", actual, " ", std::string(what), " instead of the expected ",
                               seen.spec.replicas, "; see kubectl describe pods -n ", seen.object->key().ns, " -l ",
                               std::string(kHashLabel), "=", seen.hash)};
}

}  // namespace

std::optional<plan::Wait> ReplicaSetNotReady(const Observed& seen, const Version& current) {
  const json::Value* status = current.body.Find("status");
  if (!status || status->IntAt({"observedGeneration"}) < current.object->generation()) {
    return plan::Wait{Reason::kReplicaSetNoStatus,
                      absl::StrCat("ReplicaSet ", current.name(), " was just created or changed and has no status yet")};
  }
  const std::int64_t expected = seen.spec.replicas;
  if (const auto n = status->IntAt({"replicas"}); n != expected) {
    return Counted(Reason::kReplicaSetScaling, seen, n, "replicas");
  }
  if (const auto n = status->IntAt({"readyReplicas"}); n != expected) {
    return Counted(Reason::kReplicaSetPodNotReady, seen, n, "ready replicas");
  }
  if (const auto n = status->IntAt({"availableReplicas"}); n != expected) {
    return Counted(Reason::kReplicaSetPodNotAvailable, seen, n, "available replicas");
  }
  return std::nullopt;
}

std::optional<plan::Wait> NothingToRegister(const Observed& seen, const Version& current) {
  if (seen.spec.replicas > 0 || !current.deployment_id.empty()) return std::nullopt;
  return plan::Wait{Reason::kScaledToZero, absl::StrCat("version ", current.name(),
                                                        " has spec.replicas 0 and is not registered: Restate asks the pods "
                                                        "for their services. Set spec.replicas to 1 or more")};
}

std::optional<plan::Wait> ServiceNameTaken(const Observed& seen) {
  const Version* current = seen.Current();
  if (!seen.service_holder || !current || seen.service_holder->owner_uid() == current->object->uid()) return std::nullopt;
  return plan::Wait{Reason::kNameTaken,
                    absl::StrCat("Service ", seen.service_holder->key().ToString(),
                                 " exists and is not controlled by this object's ReplicaSet; it is left alone. "
                                 "Rename or delete it")};
}

bool HashCollides(const Observed& seen) { return seen.name_holder != nullptr && seen.Current() == nullptr; }

}  // namespace restate::deployment

#include "restate/cli/gather.h"

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"
#include "restate/deployment/labels.h"
#include "restate/plan/names.h"

namespace restate::cli {
namespace {

using deployment::kRestateDeployments;
using plan::kRestateClusters, plan::kRestateCloudEnvironments;

// A kind that may not be read, or is not installed, leaves the rest to be seen. Every other failure is one of the
// whole.
absl::Status Tolerate(const absl::Status& status, std::string_view kind, std::vector<std::string>* notes) {
  if (ReasonOf(status) != Reason::kApiForbidden && !kube::IsNotFound(status)) return status;
  notes->push_back(absl::StrCat(std::string(kind), "s cannot be seen: ", std::string(MessageOf(status))));
  return absl::OkStatus();
}

absl::StatusOr<bool> ListKind(kube::Client& client, const kube::Resource& resource, json::Array* out,
                              std::vector<std::string>* notes, std::stop_token stop) {
  auto list = kube::ListAll(client, resource, {}, stop);
  if (list.ok()) {
    *out = std::move(list->items);
    return true;
  }
  RETURN_IF_ERROR(Tolerate(list.status(), resource.kind, notes));
  return false;
}

// Of older versions with pods: of the latest one the status tells.
template <class ReadyPodsOf>
void CountReadyPods(Objects& objects, const ReadyPodsOf& ready_pods_of) {
  for (const json::Value& object : objects.deployments) {
    const json::Value* versions = object.FindPath({"status", "versions"});
    for (const json::Value& version : versions && versions->array() ? *versions->array() : json::Array()) {
      if (version.StringAt({"phase"}) == "Current" || version.IntAt({"replicas"}) == 0) continue;
      kube::Key key{kube::KeyOf(object).ns, std::string(version.StringAt({"name"}))};
      if (const auto ready = ready_pods_of(key)) objects.ready_pods[std::move(key)] = *ready;
    }
  }
}

json::Array Bodies(const std::vector<kube::ObjectPtr>& objects, std::size_t limit) {
  json::Array bodies;
  for (const kube::ObjectPtr& object : objects) {
    if (bodies.size() == limit) break;
    bodies.push_back(object->Body());
  }
  return bodies;
}

}  // namespace

absl::StatusOr<Objects> ListObjects(kube::Client& client, const std::string& ns, std::stop_token stop) {
  Objects objects;
  auto deployments = kube::ListAll(client, kRestateDeployments, {.ns = ns}, stop);
  if (!deployments.ok()) {
    return kube::IsNotFound(deployments.status())
               ? Annotate(deployments.status(), "are the operator's CRDs installed? (kubectl apply -f crds/)")
               : deployments.status();
  }
  objects.deployments = std::move(deployments->items);
  auto seen = ListKind(client, kRestateClusters, &objects.clusters, &objects.notes, stop);
  if (!seen.ok()) return seen.status();
  objects.sees_clusters = *seen;
  seen = ListKind(client, kRestateCloudEnvironments, &objects.environments, &objects.notes, stop);
  if (!seen.ok()) return seen.status();
  objects.sees_environments = *seen;
  bool needs_pods = false;
  CountReadyPods(objects, [&](const kube::Key&) -> std::optional<std::int64_t> {
    needs_pods = true;
    return std::nullopt;
  });
  if (!needs_pods) return objects;
  const auto sets =
      kube::ListAll(client, kube::kReplicaSets, {.ns = ns, .selector = deployment::ManagedSelector()}, stop);
  if (!sets.ok()) return objects;  // a nicety that not everybody has the right to
  std::map<kube::Key, std::int64_t> ready;
  for (const json::Value& set : sets->items) ready[kube::KeyOf(set)] = set.IntAt({"status", "readyReplicas"});
  CountReadyPods(objects, [&](const kube::Key& key) -> std::optional<std::int64_t> {
    const auto found = ready.find(key);
    return found == ready.end() ? std::nullopt : std::optional(found->second);
  });
  return objects;
}

Objects GatherObjects(const Caches& caches, std::size_t limit) {
  constexpr auto kAll = std::numeric_limits<std::size_t>::max();
  Objects objects;
  const auto deployments = caches.deployments.List(kRestateDeployments);
  objects.deployments = Bodies(deployments, limit);
  objects.clusters = Bodies(caches.clusters.List(kRestateClusters), kAll);
  objects.environments = Bodies(caches.environments.List(kRestateCloudEnvironments), kAll);
  objects.sees_clusters = caches.clusters.Synced(kRestateClusters);
  objects.sees_environments = caches.environments.Synced(kRestateCloudEnvironments);
  if (deployments.size() > limit) {
    objects.notes.push_back(absl::StrCat("only ", limit, " of ", deployments.size(),
                                         " RestateDeployments are shown; kubectl restate status -n NAMESPACE shows the "
                                         "others"));
  }
  CountReadyPods(objects, [&](const kube::Key& key) -> std::optional<std::int64_t> {
    const kube::ObjectPtr set = caches.deployments.Get(kube::kReplicaSets, key);
    return set ? std::optional(set->Body().IntAt({"status", "readyReplicas"})) : std::nullopt;
  });
  return objects;
}

}  // namespace restate::cli

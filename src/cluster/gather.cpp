#include <algorithm>
#include <charconv>

#include "old_configs.h"
#include "restate/cluster/metadata.h"
#include "restate/cluster/objects.h"
#include "restate/cluster/observed.h"
#include "restate/cluster/optional_resources.h"
#include "restate/schema/codec.h"

namespace restate::cluster {
namespace {

void Decode(Observed& seen) {
  const json::Value* spec = seen.body.Find("spec");
  auto decoded = schema::Decode<crd::RestateClusterSpec>(spec ? *spec : json::Value(), "spec");
  seen.decoded = decoded.status();
  if (decoded.ok()) seen.spec = *std::move(decoded);
  const json::Value* status = seen.body.Find("status");
  if (!status) return;
  // A status that somebody bent out of shape is written anew.
  if (auto old = schema::Decode<crd::RestateClusterStatus>(*status, "status"); old.ok()) seen.status = *std::move(old);
}

void GatherChildren(Observed& seen, const runtime::Cache& cache) {
  const auto look = [&](const kube::Resource& resource, std::string_view name) {
    if (auto child = cache.Get(resource, {seen.name(), std::string(name)})) {
      seen.children[{resource, std::string(name)}] = std::move(child);
    }
  };
  look(kube::kServiceAccounts, kRestate);
  look(kube::kConfigMaps, ConfigMapName(seen));
  look(kube::kServices, kRestate);
  look(kube::kServices, kNodeService);
  look(kube::kPodDisruptionBudgets, kRestate);
  look(kube::kStatefulSets, kRestate);
  if (seen.config.manage_network_policies) {
    for (const std::string_view name : kNetworkPolicyNames) look(kube::kNetworkPolicies, name);
  }
  if (const auto set = seen.Child(kube::kStatefulSets, kRestate)) seen.stateful_set = set->Body();
}

// What is there of optional resources. An object of somebody else matters only where its name is needed.
void GatherOptional(Observed& seen, const runtime::Cache& cache) {
  for (const OptionalResource& optional : kOptionalResources) {
    if (optional.wanted(seen.config) && cache.Synced(optional.resource)) seen.served.insert(optional.resource);
  }
  const auto look = [&](const kube::Resource& resource, std::string_view name, bool wanted) {
    if (!seen.Serves(resource)) return;
    auto object = cache.Get(resource, {seen.name(), std::string(name)});
    if (object && (wanted || seen.Owns(*object))) seen.children[{resource, std::string(name)}] = std::move(object);
  };
  look(kSecretProviderClasses, kSigningKeyClass, seen.WantsSecretProviderClass());
  look(kPodIdentityAssociations, kRestate, seen.WantsPodIdentity());
  look(kJobs, kPodIdentityCanary, seen.WantsPodIdentity());
  look(kSecurityGroupPolicies, kRestate, seen.WantsSecurityGroups());
  look(kPolicyMembers, kPolicyMember, seen.WantsWorkloadIdentity());
  look(kJobs, kWorkloadIdentityCanary, seen.WantsWorkloadIdentity());
}

// The volume is put into pods as they are made, long before they run.
bool PodIdentityInjected(const Observed& seen, const runtime::Cache& cache) {
  const kube::ObjectPtr job = seen.Child(kJobs, kPodIdentityCanary);
  if (!job) return false;
  for (const auto& object : cache.ListIn(kube::kPods, seen.name())) {
    const json::Value pod = object->Body();
    const json::Value* labels = pod.FindPath({"metadata", "labels"});
    if (!labels || labels->StringAt({"batch.kubernetes.io/job-name"}) != kPodIdentityCanary) continue;
    if (labels->StringAt({"batch.kubernetes.io/controller-uid"}) != job->uid()) continue;  // of an earlier one
    const json::Value* volumes = pod.FindPath({"spec", "volumes"});
    if (!volumes || !volumes->array()) continue;
    for (const json::Value& volume : *volumes->array()) {
      if (volume.StringAt({"name"}) == "eks-pod-identity-token") return true;
    }
  }
  return false;
}

// The number after the prefix; nullopt: the name is of another kind.
std::optional<std::int64_t> OrdinalOf(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  std::int64_t ordinal = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), ordinal);
  if (error != std::errc() || end != name.data() + name.size() || ordinal < 0) return std::nullopt;
  return ordinal;
}

// What belongs to each node, told by name and labels: claims have no owner, for they outlive the StatefulSet, and pods
// have none while that is replaced.
template <class PerNode>
std::vector<PerNode> GatherPerNode(const Observed& seen, const runtime::Cache& cache, const kube::Resource& resource,
                                   std::string_view prefix) {
  const StringMap wanted = SelectorLabels(seen);
  std::vector<PerNode> found;
  for (const auto& object : cache.ListIn(resource, seen.name())) {
    const auto ordinal = OrdinalOf(object->key().name, prefix);
    if (!ordinal) continue;
    PerNode item{object, object->Body(), *ordinal};
    const StringMap labels = json::ToMap(item.body.FindPath({"metadata", "labels"}));
    if (std::includes(labels.begin(), labels.end(), wanted.begin(), wanted.end())) found.push_back(std::move(item));
  }
  std::sort(found.begin(), found.end(), [](const PerNode& a, const PerNode& b) { return a.ordinal < b.ordinal; });
  return found;
}

}  // namespace

std::optional<Observed> Gather(const kube::Key& key, const runtime::Cache& cache, const plan::Config& config,
                               absl::Time now) {
  Observed seen;
  seen.object = cache.Get(kRestateClusters, key);
  if (!seen.object) return std::nullopt;
  seen.body = seen.object->Body();
  seen.config = config;
  seen.now = now;
  Decode(seen);
  seen.home = cache.Get(kube::kNamespaces, {"", seen.name()});
  GatherChildren(seen, cache);
  GatherOptional(seen, cache);
  seen.pod_identity_injected = PodIdentityInjected(seen, cache);
  seen.claims = GatherPerNode<Claim>(seen, cache, kube::kPersistentVolumeClaims, "storage-restate-");
  seen.pods = GatherPerNode<Pod>(seen, cache, kube::kPods, "restate-");
  seen.unused_configs = UnusedConfigs(seen, cache);
  return seen;
}

}  // namespace restate::cluster

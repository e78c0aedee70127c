#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "restate/cluster/metadata.h"
#include "restate/cluster/objects.h"
#include "restate/cluster/observed.h"
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

// The ordinal of the pod that a claim is for; nullopt: the claim is none of a pod.
std::optional<std::int64_t> OrdinalOf(std::string_view claim) {
  const std::string prefix = absl::StrCat(std::string(kStorage), "-", std::string(kRestate), "-");
  if (!claim.starts_with(prefix)) return std::nullopt;
  claim.remove_prefix(prefix.size());
  std::int64_t ordinal = 0;
  const auto [end, error] = std::from_chars(claim.data(), claim.data() + claim.size(), ordinal);
  if (error != std::errc() || end != claim.data() + claim.size() || ordinal < 0) return std::nullopt;
  return ordinal;
}

// Claims have no owner: they outlive the StatefulSet. Their name and the labels of the claim template tell them.
void GatherClaims(Observed& seen, const runtime::Cache& cache) {
  const StringMap wanted = SelectorLabels(seen);
  for (const auto& object : cache.List(kube::kPersistentVolumeClaims)) {
    const auto ordinal = object->key().ns == seen.name() ? OrdinalOf(object->key().name) : std::nullopt;
    if (!ordinal) continue;
    Claim claim{object, object->Body(), *ordinal};
    const StringMap labels = json::ToMap(claim.body.FindPath({"metadata", "labels"}));
    if (std::includes(labels.begin(), labels.end(), wanted.begin(), wanted.end())) {
      seen.claims.push_back(std::move(claim));
    }
  }
  std::sort(seen.claims.begin(), seen.claims.end(),
            [](const Claim& a, const Claim& b) { return a.ordinal < b.ordinal; });
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
  seen.serves_secret_provider_classes = config.manage_secret_provider_classes && cache.Synced(kSecretProviderClasses);
  seen.serves_security_groups = cache.Synced(kSecurityGroupPolicies);
  Decode(seen);
  seen.home = cache.Get(kube::kNamespaces, {"", seen.name()});
  GatherChildren(seen, cache);
  GatherClaims(seen, cache);
  return seen;
}

}  // namespace restate::cluster

#include "absl/strings/str_cat.h"
#include "restate/app/kinds.h"
#include "restate/cluster/cluster.h"
#include "restate/cluster/optional_resources.h"
#include "restate/cluster/triggers.h"
#include "restate/plan/reconcile.h"
#include "restate/plan/triggers.h"

namespace restate::app {
namespace {

using cluster::kRestateClusters;

// Where one namespace is watched, only the cluster of its name is seen whole, and nobody else's is touched.
KeysOf One(std::optional<kube::Key> (*key_of)(const runtime::Change&), const std::string& ns) {
  return [key_of, ns](const runtime::Change& change, const runtime::Cache&) {
    const auto key = key_of(change);
    if (!key || (!ns.empty() && key->name != ns)) return std::vector<kube::Key>();
    return std::vector{kube::Key{"", key->name}};
  };
}

}  // namespace

KindSetup RestateClusters(const State& state, const std::string& ns) {
  const std::string ours = absl::StrCat(std::string(cluster::kNameLabel), "=", std::string(cluster::kRestate));
  const KeysOf own = One(plan::KeyOfChange, ns), of_child = One(cluster::KeyOfChildChange, ns);
  KindSetup setup{.name = cluster::Kind::kName,
                  .resource = kRestateClusters,
                  .watches = {{.resource = kRestateClusters, .selector = {}, .keys_of = own},
                              {.resource = kube::kNamespaces, .selector = {}, .keys_of = own, .metadata_only = true}},
                  .pass = plan::Reconcile<cluster::Kind>,
                  .passed = {}};
  for (const kube::Resource& resource :
       {kube::kServiceAccounts, kube::kConfigMaps, kube::kServices, kube::kPodDisruptionBudgets, kube::kStatefulSets,
        kube::kPersistentVolumeClaims}) {
    setup.watches.push_back({.resource = resource, .selector = ours, .keys_of = of_child});
  }
  setup.watches.push_back(
      {.resource = kube::kPods, .selector = std::string(cluster::kPodSelector), .keys_of = of_child});
  for (const cluster::OptionalResource& optional : cluster::kOptionalResources) {
    if (!optional.wanted(state.config)) continue;
    setup.watches.push_back({.resource = optional.resource,
                             .selector = std::string(optional.selector),
                             .keys_of = of_child,
                             .optional = optional.defined_apart,
                             .needed = optional.needed});
  }
  if (state.config.manage_network_policies) {
    setup.watches.push_back({.resource = kube::kNetworkPolicies, .selector = ours, .keys_of = of_child});
  }
  return setup;
}

}  // namespace restate::app

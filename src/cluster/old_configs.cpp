#include "old_configs.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/cluster/objects.h"
#include "restate/json/text.h"

namespace restate::cluster {
namespace {

constexpr std::string_view kRevisionLabel = "controller-revision-hash";

// As the source of a volume, in an environment, wherever.
bool Names(const json::Value& object, const kube::ObjectPtr& config) {
  return json::Dump(object).find(absl::StrCat("\"", config->key().name, "\"")) != std::string::npos;
}

void EraseNamed(std::vector<kube::ObjectPtr>& configs, const json::Value& object) {
  std::erase_if(configs, [&](const kube::ObjectPtr& config) { return Names(object, config); });
}

// A revision to which the StatefulSet may go back is one more reference; that it is not listed means that not all are.
bool ListsRevisionsOf(const Observed& seen, const runtime::Cache& cache) {
  for (const std::string_view field : {"currentRevision", "updateRevision"}) {
    const std::string revision(seen.stateful_set.StringAt({"status", field}));
    if (revision.empty() || !cache.Get(kControllerRevisions, {seen.name(), revision})) return false;
  }
  return true;
}

bool EveryNodeIsOfTheWantedRevision(const Observed& seen) {
  const std::string_view wanted = seen.stateful_set.StringAt({"status", "updateRevision"});
  return !wanted.empty() && static_cast<std::int64_t>(seen.pods.size()) == seen.replicas() &&
         std::all_of(seen.pods.begin(), seen.pods.end(), [&](const Pod& pod) {
           return pod.body.StringAt({"metadata", "labels", kRevisionLabel}) == wanted;
         });
}

}  // namespace

std::vector<kube::ObjectPtr> UnusedConfigs(const Observed& seen, const runtime::Cache& cache) {
  std::vector<kube::ObjectPtr> configs;
  if (!seen.Serves(kControllerRevisions) || !cache.Synced(kube::kPods)) return configs;
  const std::string wanted = ConfigMapName(seen);
  for (const auto& object : cache.ListIn(kube::kConfigMaps, seen.name())) {
    const std::string& name = object->key().name;
    if (!name.starts_with(kConfigMapPrefix) || name == wanted || !seen.Owns(*object) || object->deleting()) continue;
    configs.push_back(object);
  }
  if (configs.empty() || !ListsRevisionsOf(seen, cache)) return {};
  EraseNamed(configs, seen.stateful_set);
  for (const kube::Resource& resource : {kControllerRevisions, kube::kPods}) {
    for (const auto& object : cache.ListIn(resource, seen.name())) EraseNamed(configs, object->Body());
  }
  return configs;
}

void RetireConfigs(const Observed& seen, ClusterPlan& plan) {
  if (plan.wait || !plan.failure.ok() || !EveryNodeIsOfTheWantedRevision(seen)) return;
  for (const kube::ObjectPtr& config : seen.unused_configs) {
    plan.steps.push_back(plan::Delete{kube::kConfigMaps, config->key(), config->uid()});
  }
}

}  // namespace restate::cluster

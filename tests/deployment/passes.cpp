#include "deployment/passes.h"

#include <map>

#include "files.h"
#include "restate/json/text.h"
#include "restate/json/yaml.h"

namespace restate::deployment {

namespace {

std::vector<kube::Resource> Watched() {
  return {kRestateDeployments, kube::kReplicaSets,        kube::kServices, kube::kAutoscalers,
          kRestateClusters,    kRestateCloudEnvironments, kube::kSecrets,  kube::kCustomResourceDefinitions};
}

// The definitions in a file. Read once: a test of many lives makes many stages.
const std::vector<json::Value>& Definitions(std::string_view file) {
  static std::map<std::string, std::vector<json::Value>> read;
  const auto [found, fresh] = read.try_emplace(std::string(file));
  if (fresh) {
    const auto crds = json::ParseYaml(FileText(TestSource(std::string(file))));
    REQUIRE(crds.ok());
    found->second = *crds;
  }
  return found->second;
}

}  // namespace

Passes::Passes(std::shared_ptr<plan::Outside> outside) : stage(Watched(), std::move(outside)) {}

Passes::Passes(bool pods_become_ready, std::string_view crd_file) : stage(Watched()) {
  for (const std::string_view file : {crd_file, std::string_view("../crds/restateclusters.yaml"),
                                      std::string_view("../crds/restatecloudenvironments.yaml")}) {
    for (const json::Value& crd : Definitions(file)) stage.api.Add(kube::kCustomResourceDefinitions, crd);
  }
  stage.api.UseClock(stage.clock);
  stage.api.CollectGarbageAutomatically();
  if (pods_become_ready) stage.api.RunReplicaSets();
}

void Passes::InstallKnative() {
  ServeKnative(stage.api);
  WatchKnative();
}

void Passes::WatchKnative() {
  knative.emplace();
  for (const kube::Resource& resource : {kConfigurations, kRoutes, kRevisions}) stage.Watch(resource);
}

runtime::Next Passes::Pass(const kube::Key& key) {
  if (knative) RunKnative(stage.api, *knative);
  stage.Sync();
  return plan::Reconcile<Kind>(key, stage.MakeWorld());
}

runtime::Next Passes::Settle(const kube::Key& key, Clock::Duration patience) {
  for (int i = 0; i < 200; ++i) {
    const std::string before = stage.api.resource_version();
    const auto next = Pass(key);
    if (Waiting() == "WaitingForUsage") {
      stage.AwaitLook();
    } else if (next.error.ok() && next.after && *next.after <= patience) {
      stage.clock.Advance(*next.after);
    } else if (stage.api.resource_version() == before || !next.error.ok()) {
      return next;
    }
  }
  FAIL("it never settles");
  return {};
}

std::string Passes::Waiting() const {
  const json::Value page = stage.diagnostics.ToJson(1);
  const json::Value* waiting = page.Find("waiting");
  if (!waiting || !waiting->array() || waiting->array()->empty()) return "";
  return std::string(waiting->array()->front().StringAt({"reason"}));
}

std::string Passes::Ready(const kube::Key& key) const {
  const auto live = stage.api.Get(kRestateDeployments, key);
  const json::Value* conditions = live ? live->FindPath({"status", "conditions"}) : nullptr;
  if (!conditions || !conditions->array() || conditions->array()->empty()) return "";
  const json::Value& ready = conditions->array()->front();
  return std::string(ready.StringAt({"status"})) + " " + std::string(ready.StringAt({"reason"}));
}

}  // namespace restate::deployment

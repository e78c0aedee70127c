// What a pass finds of its cluster among everything that is watched.
#include <doctest/doctest.h>

#include "absl/strings/str_cat.h"
#include "cluster/scene.h"
#include "restate/cluster/metadata.h"

namespace restate::cluster {
namespace {

using json::Obj;

json::Value PodCalled(const Observed& seen, std::string_view name, std::string_view phase = "Running") {
  return Obj(
      {{"apiVersion", "v1"},
       {"kind", "Pod"},
       {"metadata", Obj({{"name", name}, {"namespace", seen.name()}, {"labels", json::FromMap(SelectorLabels(seen))}})},
       {"status", Obj({{"phase", phase}})}});
}

std::string Ordinals(const Observed& seen) {
  std::string text;
  for (const Pod& pod : seen.pods) absl::StrAppend(&text, pod.ordinal, pod.running() ? " " : "! ");
  return text;
}

TEST_CASE("pods are those of the nodes, in the order of their ordinals") {
  Scene scene;
  const Observed seen = scene.See();
  for (const char* name :
       {"restate-10", "restate-2", "restate-0", "restate-cli", "restate-", "other-1", "restate-1x"}) {
    scene.Add(kube::kPods, PodCalled(seen, name));
  }
  scene.Add(kube::kPods, PodCalled(seen, "restate-1", "Pending"));
  json::Value stranger = PodCalled(seen, "restate-3");
  stranger["metadata"]["labels"]["app.kubernetes.io/instance"] = "west";
  scene.Add(kube::kPods, stranger);
  json::Value elsewhere = PodCalled(seen, "restate-4");
  elsewhere["metadata"]["namespace"] = "west";
  scene.Add(kube::kPods, elsewhere);
  CHECK(Ordinals(scene.See()) == "0 1! 2 10 ");
  scene.At(kube::kPods, "restate-0")["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(Ordinals(scene.See()) == "0! 1! 2 10 ");
}

}  // namespace
}  // namespace restate::cluster

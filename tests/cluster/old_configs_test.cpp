// Earlier configurations are removed when nothing refers to them any more, and never before.
#include <doctest/doctest.h>

#include <functional>

#include "cluster/scene.h"
#include "restate/cluster/metadata.h"
#include "restate/cluster/objects.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;
using Steps = std::vector<std::string>;

const Steps kNothing, kRetired = {"delete configmaps east/restate-config-0ld uid old"};

// A cluster that has run with the wanted configuration for long, with one ConfigMap of an earlier one.
struct Rolled : Scene {
  Rolled() {
    listed = {kube::kPods, kControllerRevisions};
    Run();
    json::Value old = ConfigMapFor(See());
    old["metadata"]["name"] = "restate-config-0ld";
    old["metadata"]["uid"] = "old";
    Add(kube::kConfigMaps, old);
    Add(kube::kPods, PodWith(ConfigMapName(See())));
    Add(kControllerRevisions, RevisionWith("r-1", ConfigMapName(See())));
  }
  json::Value Metadata(std::string_view name) const {
    json::Value labels = json::FromMap(SelectorLabels(See()));
    return Obj({{"name", name}, {"namespace", "east"}, {"labels", std::move(labels)}});
  }
  json::Value PodWith(std::string_view map) const {
    json::Value pod = Obj({{"kind", "Pod"}, {"metadata", Metadata("restate-0")}, {"spec", Volumes(map)}});
    pod["metadata"]["labels"]["controller-revision-hash"] = "r-1";
    return pod;
  }
  json::Value RevisionWith(std::string_view name, std::string_view map) const {
    return Obj({{"kind", "ControllerRevision"},
                {"metadata", Metadata(name)},
                {"data", Obj({{"spec", Obj({{"template", Obj({{"spec", Volumes(map)}})}})}})}});
  }
  static json::Value Volumes(std::string_view map) {
    return Obj({{"volumes", Arr({Obj({{"name", "config"}, {"configMap", Obj({{"name", map}})}})})}});
  }
};

TEST_CASE("an earlier configuration that nothing refers to is removed") {
  Rolled scene;
  CHECK(scene.Steps() == kRetired);
  CHECK(ReadyOf(scene.Report()) == "True Reconciled");
}

TEST_CASE("while something may need it, it stays") {
  const std::function<void(Rolled&)> reasons[] = {
      [](Rolled& s) { s.Add(kControllerRevisions, s.RevisionWith("r-0", "restate-config-0ld")); },
      [](Rolled& s) { s.Add(kube::kPods, s.PodWith("restate-config-0ld")); },
      // A pod of something else that reads it.
      [](Rolled& s) {
        json::Value pod = s.PodWith("restate-config-0ld");
        pod["metadata"]["name"] = "debug";
        pod["metadata"].Erase("labels");
        s.Add(kube::kPods, pod);
      },
      [](Rolled& s) { s.At(kube::kPods, "restate-0")["metadata"]["labels"]["controller-revision-hash"] = "r-0"; },
      [](Rolled& s) { s.Remove(kube::kPods, "restate-0"); },
      [](Rolled& s) { s.Remove(kControllerRevisions, "r-1"); },
      [](Rolled& s) { s.StatefulSet()["status"]["readyReplicas"] = 0; },
      [](Rolled& s) { s.StatefulSet()["status"]["currentRevision"] = "r-0"; },
      [](Rolled& s) { s.StatefulSet()["metadata"]["generation"] = 2; },
      [](Rolled& s) { s.listed = {kControllerRevisions}; },
      [](Rolled& s) { s.listed = {kube::kPods}; },
      // Somebody else's.
      [](Rolled& s) { s.At(kube::kConfigMaps, "restate-config-0ld")["metadata"].Erase("ownerReferences"); },
  };
  int row = 0;
  for (const auto& reason : reasons) {
    CAPTURE(row++);
    Rolled scene;
    reason(scene);
    CHECK(scene.Steps() == kNothing);
  }
}

TEST_CASE("a name within a longer one is no reference") {
  Rolled scene;
  scene.Add(kControllerRevisions, scene.RevisionWith("r-0", "restate-config-0ld7"));
  CHECK(scene.Steps() == kRetired);
}

TEST_CASE("the configuration that runs stays while another one comes") {
  Rolled scene;
  const std::string now = ConfigMapName(scene.See());
  scene.spec()["config"] = "x = 1";
  const Steps steps = scene.Steps();
  CHECK(std::find(steps.begin(), steps.end(), "delete configmaps east/" + now + " uid configmaps-" + now) ==
        steps.end());
}

}  // namespace
}  // namespace restate::cluster

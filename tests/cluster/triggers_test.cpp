// Which changes wake which RestateCluster.
#include "restate/cluster/triggers.h"

#include <doctest/doctest.h>

#include "cluster/scene.h"

namespace restate::cluster {
namespace {

using json::Obj;

json::Value Object(std::string_view name, json::Value labels = {}) {
  return Obj({{"metadata", Obj({{"name", name}, {"uid", "u"}, {"generation", 1}, {"labels", std::move(labels)}})}});
}

TEST_CASE("children wake the cluster of their label, also when they have lost it or are gone") {
  const auto child = Make(Object("storage-restate-0", Obj({{"app.kubernetes.io/instance", "east"}})));
  const auto bare = Make(Object("storage-restate-0"));
  CHECK(KeyOfChildChange({nullptr, child}) == kube::Key{"", "east"});
  CHECK(KeyOfChildChange({child, nullptr}) == kube::Key{"", "east"});
  CHECK(KeyOfChildChange({child, bare}) == kube::Key{"", "east"});
  CHECK(!KeyOfChildChange({nullptr, bare}));
}

TEST_CASE("a canary that failed and was taken away brings no pass: the next one is due in a minute") {
  const auto canary = [](std::string_view kind, std::string_view name, std::string_view condition) {
    json::Value body = Object(name, Obj({{"app.kubernetes.io/instance", "east"}, {"app.kubernetes.io/name", name}}));
    body["kind"] = kind;
    body["status"] = Obj({{"conditions", json::Arr({Obj({{"type", condition}, {"status", "True"}})})}});
    return Make(body);
  };
  const kube::Key east{"", "east"};
  CHECK(!KeyOfChildChange({canary("Job", "restate-wi-canary", "Failed"), nullptr}));
  CHECK(!KeyOfChildChange({canary("Pod", "restate-pia-canary", "Ready"), nullptr}));
  CHECK(KeyOfChildChange({nullptr, canary("Job", "restate-wi-canary", "Failed")}) == east);
  CHECK(KeyOfChildChange({nullptr, canary("Pod", "restate-pia-canary", "Ready")}) == east);
  // Taken away by somebody else: it is made again at once.
  CHECK(KeyOfChildChange({canary("Job", "restate-wi-canary", "Complete"), nullptr}) == east);
  CHECK(KeyOfChildChange({canary("Pod", "restate", "Ready"), nullptr}) == east);
}

}  // namespace
}  // namespace restate::cluster

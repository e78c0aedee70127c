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

TEST_CASE("a cluster's own status wakes nobody, its spec and metadata do") {
  json::Value before = Object("east"), after = before;
  after["status"] = Obj({{"provisioned", true}});
  CHECK(!KeyOfClusterChange({Make(before), Make(after)}));
  after["metadata"]["generation"] = 2;
  CHECK(KeyOfClusterChange({Make(before), Make(after)}) == kube::Key{"", "east"});
  after = before;
  after["metadata"]["annotations"] = Obj({{"restate.dev/reconcile", "disabled"}});
  CHECK(KeyOfClusterChange({Make(before), Make(after)}));
  CHECK(KeyOfClusterChange({nullptr, Make(before)}));
  CHECK(KeyOfClusterChange({Make(before), nullptr}));
}

TEST_CASE("children wake the cluster of their label, also when they have lost it or are gone") {
  const auto child = Make(Object("storage-restate-0", Obj({{"app.kubernetes.io/instance", "east"}})));
  const auto bare = Make(Object("storage-restate-0"));
  CHECK(KeyOfChildChange({nullptr, child}) == kube::Key{"", "east"});
  CHECK(KeyOfChildChange({child, nullptr}) == kube::Key{"", "east"});
  CHECK(KeyOfChildChange({child, bare}) == kube::Key{"", "east"});
  CHECK(!KeyOfChildChange({nullptr, bare}));
}

TEST_CASE("a namespace wakes the cluster of its name") {
  json::Value before = Object("east"), after = before;
  CHECK(KeyOfNamespaceChange({Make(before), nullptr}) == kube::Key{"", "east"});
  after["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(KeyOfNamespaceChange({Make(before), Make(after)}));
  CHECK(!KeyOfNamespaceChange({Make(before), Make(before)}));
}

}  // namespace
}  // namespace restate::cluster

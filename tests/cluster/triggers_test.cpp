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

}  // namespace
}  // namespace restate::cluster

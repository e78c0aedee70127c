#include "restate/cli/gather.h"

#include <doctest/doctest.h>

#include "restate/deployment/observed.h"
#include "restate/plan/names.h"

namespace restate::cli {
namespace {

using deployment::kRestateDeployments;
using json::Arr;
using json::Obj;
using json::Value;

kube::ObjectPtr Made(const kube::Resource& resource, std::string_view ns, std::string_view name, Value more) {
  more["apiVersion"] = resource.ApiVersion();
  more["kind"] = resource.kind;
  more["metadata"] = Obj({{"name", name}, {"namespace", ns.empty() ? Value() : Value(ns)}, {"uid", name}});
  const auto object = kube::Object::From(more);
  REQUIRE(object.ok());
  return *object;
}

Value Versions() {
  return Obj({{"status", Obj({{"versions", Arr({Obj({{"name", "greeter-b"}, {"phase", "Current"}, {"replicas", 2}}),
                                                Obj({{"name", "greeter-a"}, {"phase", "Draining"}, {"replicas", 2}}),
                                                Obj({{"name", "greeter-0"}, {"phase", "Drained"}, {"replicas", 0}}),
                                                Obj({{"name", "lost"}, {"phase", "Draining"}, {"replicas", 1}})})}})}});
}

TEST_CASE("from caches: objects, and the ready pods of older versions that have pods") {
  runtime::Cache deployments, clusters, environments;
  deployments.Replace(kRestateDeployments, {Made(kRestateDeployments, "shop", "greeter", Versions())});
  for (const char* name : {"greeter-a", "greeter-b", "greeter-0"}) {
    deployments.Put(kube::kReplicaSets,
                    Made(kube::kReplicaSets, "shop", name, Obj({{"status", Obj({{"readyReplicas", 1}})}})));
  }
  clusters.Replace(plan::kRestateClusters, {Made(plan::kRestateClusters, "", "prod", Value(json::Object()))});
  const Objects objects = GatherObjects({deployments, clusters, environments});
  REQUIRE(objects.deployments.size() == 1);
  CHECK(kube::KeyOf(objects.deployments[0]) == kube::Key{"shop", "greeter"});
  CHECK(objects.clusters.size() == 1);
  CHECK(objects.sees_clusters);
  CHECK_FALSE(objects.sees_environments);  // never listed
  CHECK(objects.ready_pods == std::map<kube::Key, std::int64_t>{{{"shop", "greeter-a"}, 1}});
  CHECK(objects.notes.empty());
}

TEST_CASE("from caches: what is more than the page takes is said") {
  runtime::Cache cache;
  std::vector<kube::ObjectPtr> many;
  for (const char* name : {"a", "b", "c"})
    many.push_back(Made(kRestateDeployments, "shop", name, Value(json::Object())));
  cache.Replace(kRestateDeployments, many);
  const Objects objects = GatherObjects({cache, cache, cache}, 2);
  CHECK(objects.deployments.size() == 2);
  REQUIRE(objects.notes.size() == 1);
  CHECK(objects.notes[0].find("only 2 of 3") != std::string::npos);
}

}  // namespace
}  // namespace restate::cli

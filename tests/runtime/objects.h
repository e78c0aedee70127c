// Small API objects for the tests of this layer.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "restate/kube/object.h"

namespace restate::runtime {

struct ObjectSpec {
  std::string name, uid, version;
  std::string owner = {};
  bool deleting = false;
  std::string note = {};  // some content
};

inline json::Value Body(const ObjectSpec& spec) {
  using json::Arr, json::Obj;
  json::Value body =
      Obj({{"apiVersion", "apps/v1"},
           {"kind", "ReplicaSet"},
           {"metadata",
            Obj({{"namespace", "ns"}, {"name", spec.name}, {"uid", spec.uid}, {"resourceVersion", spec.version}})},
           {"spec", Obj({{"note", spec.note}})}});
  if (!spec.owner.empty()) {
    body["metadata"]["ownerReferences"] = Arr({Obj({{"apiVersion", "restate.dev/v1"},
                                                    {"kind", "RestateDeployment"},
                                                    {"name", "owner"},
                                                    {"uid", spec.owner},
                                                    {"controller", true}})});
  }
  if (spec.deleting) body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  return body;
}

inline kube::ObjectPtr Make(const ObjectSpec& spec) {
  auto object = kube::Object::From(Body(spec));
  REQUIRE(object.ok());
  return *std::move(object);
}

}  // namespace restate::runtime

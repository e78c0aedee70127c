#include "restate/plan/announce.h"

#include <utility>

namespace restate::plan {

kube::Event EventAbout(const kube::Resource& resource, const kube::Object& object, bool warning, std::string reason,
                       std::string note) {
  json::Value metadata = json::Obj({{"name", object.key().name},
                                    {"namespace", object.key().ns.empty() ? json::Value() : object.key().ns},
                                    {"uid", object.uid()},
                                    {"resourceVersion", object.resource_version()}});
  return {.regarding = json::Obj(
              {{"apiVersion", resource.ApiVersion()}, {"kind", resource.kind}, {"metadata", std::move(metadata)}}),
          .warning = warning,
          .reason = std::move(reason),
          .action = object.deleting() ? "Delete" : "Reconcile",
          .note = std::move(note)};
}

}  // namespace restate::plan

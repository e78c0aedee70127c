#include "announce.h"

namespace restate::cluster {

kube::Event EventAbout(const Observed& seen, bool warning, std::string_view reason, std::string note) {
  return {.regarding = json::Obj({{"apiVersion", kRestateClusters.ApiVersion()},
                                  {"kind", kRestateClusters.kind},
                                  {"metadata", json::Obj({{"name", seen.name()},
                                                          {"uid", seen.object->uid()},
                                                          {"resourceVersion", seen.object->resource_version()}})}}),
          .warning = warning,
          .reason = std::string(reason),
          .action = seen.deleting() ? "Delete" : "Reconcile",
          .note = std::move(note)};
}

}  // namespace restate::cluster

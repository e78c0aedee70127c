#include "restate/deployment/announce.h"

namespace restate::deployment {
namespace {

kube::Event EventAbout(const Observed& seen, bool warning, std::string reason, std::string note) {
  const auto& key = seen.object->key();
  return {.regarding = json::Obj({{"apiVersion", kRestateDeployments.ApiVersion()},
                                  {"kind", kRestateDeployments.kind},
                                  {"metadata", json::Obj({{"name", key.name},
                                                          {"namespace", key.ns},
                                                          {"uid", seen.object->uid()},
                                                          {"resourceVersion", seen.object->resource_version()}})}}),
          .warning = warning,
          .reason = std::move(reason),
          .action = seen.deleting() ? "Delete" : "Reconcile",
          .note = std::move(note)};
}

}  // namespace

plan::Announce Announce(const Observed& seen, std::string reason, std::string note) {
  return {EventAbout(seen, false, std::move(reason), std::move(note))};
}

kube::Event Warn(const Observed& seen, std::string reason, std::string note) {
  return EventAbout(seen, true, std::move(reason), std::move(note));
}

kube::Event FailureEvent(const Observed& seen, Reason reason, std::string_view message) {
  return Warn(seen, std::string(RowOf(reason).name), std::string(message));
}

}  // namespace restate::deployment

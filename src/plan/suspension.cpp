#include "restate/plan/suspension.h"

#include "restate/plan/names.h"

namespace restate::plan {

bool IsSuspended(const kube::Object& object, const json::Value& body) {
  return !object.deleting() && body.StringAt({"metadata", "annotations", kReconcileAnnotation}) == "disabled";
}

Wait Suspended() {
  return {Reason::kSuspended, "Reconciliation is suspended by the restate.dev/reconcile=disabled annotation."};
}

}  // namespace restate::plan

// The one way into the store that all writes take: what a subresource may touch, defaults, validation, bookkeeping,
// generation, no-ops and the end of an object whose last finalizer went.
#pragma once

#include <string>

#include "fake/server_side_apply.h"
#include "fake/store.h"

namespace restate::fake {

struct WriteIntent {
  const Kind& kind;
  kube::Key key;
  ValuePtr before;     // null: it is created
  json::Value after;   // as the writer wants it; a written status on the main resource is ignored, as everywhere
  Writer writer;
  bool booked = false; // managedFields of `after` are right already (server-side apply)
};

// Stores the object and returns it as it then is (for an object that ended by this write: its last state). Throws Refusal.
ValuePtr Commit(Store& store, WriteIntent write);

// Deletes at once, or marks for deletion when finalizers or `propagation` ("Foreground") hold the object.
struct DeleteResult {
  ValuePtr object;
  bool gone = false;
};
DeleteResult DeleteObject(Store& store, const Kind& kind, const kube::Key& key, std::string_view propagation,
                          const std::string& now);

// Background garbage collection: dependents all of whose owners are gone, and owners that waited for them; once for all.
// Returns how many objects it changed.
int CollectGarbage(Store& store, const std::string& now);

}  // namespace restate::fake

#include "fake/watch_hub.h"

#include <algorithm>

#include "restate/json/text.h"
#include "fake/verbs.h"

namespace restate::fake {

using json::Obj;
using json::Value;

namespace {

// The frame of a change for a watch: an object that leaves the selection is deleted for it, one that enters is added.
std::string FrameOf(const Change& change, const ApiRequest& request) {
  const bool before = change.before && IsSelected(*change.before, request);
  const bool after = change.type != ChangeType::kDeleted && IsSelected(*change.object, request);
  if (!before && !after) return "";
  if (!after) {
    // With a selector the last state that was selected, at the version of the change.
    Value last = *change.before;
    last["metadata"]["resourceVersion"] = std::string(change.object->StringAt({"metadata", "resourceVersion"}));
    return Frame("DELETED", AsAsked(last, request));
  }
  return Frame(before ? "MODIFIED" : "ADDED", AsAsked(*change.object, request));
}

}  // namespace

std::string Frame(std::string_view type, const Value& object) {
  return json::Dump(Obj({{"type", type}, {"object", object}})) + "\n";
}

std::string BookmarkFrame(const Watch& watch, std::string_view version) {
  Value metadata = Obj({{"resourceVersion", version}});
  metadata["creationTimestamp"] = Value();
  return Frame("BOOKMARK", Obj({{"kind", watch.kind}, {"apiVersion", watch.api_version}, {"metadata", metadata}}));
}

bool WatchHub::HasNews(const Store& store, const Watch& watch) const {
  if (!watch.pending.empty() || watch.end != WatchEnd::kOpen) return true;
  return !held_.contains(watch.kind_id) && store.NextChange(watch.position) != nullptr;
}

std::string WatchHub::Take(const Store& store, Watch& watch) {
  std::string text;
  for (const std::string& frame : watch.pending) text += frame;
  watch.pending.clear();
  if (held_.contains(watch.kind_id)) return text;
  while (const Change* change = store.NextChange(watch.position)) {
    watch.position = change->version;
    if (change->kind_id == watch.kind_id) text += FrameOf(*change, watch.request);
  }
  return text;
}

int WatchHub::Count(std::string_view kind_id) const {
  return static_cast<int>(std::count_if(watches_.begin(), watches_.end(),
                                        [&](const Watch& watch) { return watch.kind_id == kind_id; }));
}

}  // namespace restate::fake

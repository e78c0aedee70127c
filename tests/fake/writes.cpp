#include "fake/writes.h"

#include <algorithm>
#include <set>

#include "restate/json/text.h"

namespace restate::fake {

using json::Value;

namespace {

constexpr char kForeground[] = "foregroundDeletion";
const Value kAbsent;

json::Array FinalizersOf(const Value& object) {
  const Value* list = object.FindPath({"metadata", "finalizers"});
  return list && list->array() ? *list->array() : json::Array();
}

bool IsDeleting(const Value& object) { return object.FindPath({"metadata", "deletionTimestamp"}) != nullptr; }

void Take(Value& object, const Value& from, const char* member) {
  const Value* found = from.Find(member);
  if (found) {
    object[member] = *found;
  } else {
    object.Erase(member);
  }
}

// A subresource writes its own part only, and the main resource leaves a status that has a subresource alone.
void KeepOtherParts(WriteIntent& write) {
  if (!write.kind.status_subresource) return;
  const Value& before = write.before ? *write.before : kAbsent;
  if (write.writer.subresource == "status") {
    Value kept = before;
    Take(kept, write.after, "status");
    const Value* booked = write.after.FindPath({"metadata", "managedFields"});
    if (write.booked && booked) kept["metadata"]["managedFields"] = *booked;
    write.after = std::move(kept);
  } else {
    Take(write.after, before, "status");
  }
}

// What only the server sets.
void KeepIdentity(Store& store, WriteIntent& write) {
  Value& metadata = write.after["metadata"];
  metadata["name"] = write.key.name;
  if (write.kind.namespaced) metadata["namespace"] = write.key.ns;
  write.after["apiVersion"] = write.kind.ApiVersion();
  write.after["kind"] = write.kind.kind;
  const Value* old = write.before ? write.before->Find("metadata") : nullptr;
  for (const char* name : {"uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds",
                           "resourceVersion", "selfLink"}) {
    metadata.Erase(name);
    if (old) Take(metadata, *old, name);
  }
  if (old) return;
  metadata["uid"] = store.NewUid();
  metadata["creationTimestamp"] = write.writer.time;
  if (write.kind.has_generation) metadata["generation"] = 1;
}

void CheckFinalizers(const WriteIntent& write) {
  if (!write.before || !IsDeleting(*write.before)) return;
  const auto old = FinalizersOf(*write.before);
  for (const Value& finalizer : FinalizersOf(write.after)) {
    if (std::find(old.begin(), old.end(), finalizer) != old.end()) continue;
    throw Invalid(write.kind.Named(write.key.name),
                  {{"FieldValueForbidden",
                    "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers "
                    "[]string{" + json::Dump(finalizer) + "}",
                    "metadata.finalizers"}});
  }
}

void Validate(const WriteIntent& write) {
  CheckFinalizers(write);
  if (!write.kind.validate) return;
  const auto causes = write.kind.validate(write.after, write.before.get());
  if (!causes.empty()) {
    Subject subject = write.kind.Named(write.key.name);
    // An event is validated as the core kind it is stored as.
    if (subject.group == "events.k8s.io") subject.group.clear();
    throw Invalid(subject, causes);
  }
}

// The generation counts changes of everything but metadata and, where it has a subresource, status.
void CountGeneration(WriteIntent& write) {
  if (!write.kind.has_generation || !write.before) return;
  const auto meaning = [&](Value object) {
    object.Erase("metadata");
    if (write.kind.status_subresource) object.Erase("status");
    return object;
  };
  if (meaning(*write.before) == meaning(write.after)) return;
  write.after["metadata"]["generation"] = write.before->IntAt({"metadata", "generation"}) + 1;
}

bool NamesOwner(const Value& object, std::string_view uid) {
  const Value* owners = object.FindPath({"metadata", "ownerReferences"});
  if (!owners || !owners->array()) return false;
  return std::any_of(owners->array()->begin(), owners->array()->end(),
                     [&](const Value& owner) { return owner.StringAt({"uid"}) == uid; });
}

void Orphan(Store& store, std::string_view uid) {
  for (const Kind* kind : store.kinds()) {
    const Objects objects = store.All(*kind);
    for (const auto& [key, object] : objects) {
      if (!NamesOwner(*object, uid)) continue;
      Value orphan = *object;
      std::erase_if(*orphan["metadata"]["ownerReferences"].array(),
                    [&](const Value& owner) { return owner.StringAt({"uid"}) == uid; });
      if (orphan["metadata"]["ownerReferences"].array()->empty()) orphan["metadata"].Erase("ownerReferences");
      store.Put(*kind, key, std::move(orphan));
    }
  }
}

bool WaitsForDependents(const Value& object) {
  const auto finalizers = FinalizersOf(object);
  return IsDeleting(object) && std::find(finalizers.begin(), finalizers.end(), Value(kForeground)) != finalizers.end();
}

// The owners whose dependents stay.
std::set<std::string, std::less<>> KeepingUids(const Store& store) {
  std::set<std::string, std::less<>> uids;
  for (const Kind* kind : store.kinds()) {
    for (const auto& [key, object] : store.All(*kind)) {
      if (!WaitsForDependents(*object)) uids.emplace(object->StringAt({"metadata", "uid"}));
    }
  }
  return uids;
}

bool IsGarbage(const Value& object, const std::set<std::string, std::less<>>& keeping) {
  const Value* owners = object.FindPath({"metadata", "ownerReferences"});
  if (!owners || !owners->array() || owners->array()->empty() || IsDeleting(object)) return false;
  return std::none_of(owners->array()->begin(), owners->array()->end(),
                      [&](const Value& owner) { return keeping.contains(owner.StringAt({"uid"})); });
}

// Ends the wait of a foreground deletion once nothing names the object as owner any more.
bool ReleaseOwner(Store& store, const Kind& kind, const kube::Key& key, const Value& object) {
  if (!WaitsForDependents(object)) return false;
  auto finalizers = FinalizersOf(object);
  std::erase(finalizers, Value(kForeground));
  for (const Kind* other : store.kinds()) {
    for (const auto& [other_key, dependent] : store.All(*other)) {
      if (NamesOwner(*dependent, object.StringAt({"metadata", "uid"}))) return false;
    }
  }
  Value released = object;
  released["metadata"]["finalizers"] = finalizers;
  if (finalizers.empty()) {
    store.Remove(kind, key);
  } else {
    store.Put(kind, key, std::move(released));
  }
  return true;
}

}  // namespace

ValuePtr Commit(Store& store, WriteIntent write) {
  KeepOtherParts(write);
  KeepIdentity(store, write);
  if (write.kind.defaulter) write.kind.defaulter(write.after);
  Normalize(write.after, write.kind);
  Validate(write);
  CountGeneration(write);
  if (!write.booked) {
    BookUpdate(write.before ? *write.before : kAbsent, write.after, write.writer, write.kind.shape);
  }
  if (write.before && SameButForTimes(*write.before, write.after)) return write.before;
  if (write.before && IsDeleting(write.after) && FinalizersOf(write.after).empty()) {
    // The answer is the written object, the event carries what was stored last.
    const ValuePtr removed = store.Remove(write.kind, write.key);
    write.after["metadata"]["resourceVersion"] = std::string(removed->StringAt({"metadata", "resourceVersion"}));
    return std::make_shared<const Value>(std::move(write.after));
  }
  return store.Put(write.kind, write.key, std::move(write.after));
}

DeleteResult DeleteObject(Store& store, const Kind& kind, const kube::Key& key, std::string_view propagation,
                          const std::string& now) {
  const ValuePtr found = store.Find(kind, key);
  if (IsDeleting(*found)) return {found, false};
  auto finalizers = FinalizersOf(*found);
  if (propagation == "Orphan") Orphan(store, found->StringAt({"metadata", "uid"}));
  if (propagation == "Foreground") finalizers.emplace_back(kForeground);
  const bool is_namespace = kind.plural == "namespaces";
  if (finalizers.empty() && !is_namespace) return {store.Remove(kind, key), true};
  Value marked = *found;
  Value& metadata = marked["metadata"];
  metadata["deletionTimestamp"] = now;
  if (is_namespace) {
    marked["status"]["phase"] = "Terminating";
  } else {
    metadata["deletionGracePeriodSeconds"] = 0;
    metadata["finalizers"] = std::move(finalizers);
  }
  if (metadata.Find("generation")) metadata["generation"] = marked.IntAt({"metadata", "generation"}) + 1;
  return {store.Put(kind, key, std::move(marked)), false};
}

int CollectGarbage(Store& store, const std::string& now) {
  int changed = 0;
  for (bool again = true; again;) {
    again = false;
    const auto keeping = KeepingUids(store);
    for (const Kind* kind : store.kinds()) {
      const Objects objects = store.All(*kind);
      for (const auto& [key, object] : objects) {
        const bool garbage = IsGarbage(*object, keeping);
        if (garbage) DeleteObject(store, *kind, key, "Background", now);
        if (garbage || ReleaseOwner(store, *kind, key, *object)) {
          ++changed;
          again = true;
        }
      }
    }
  }
  return changed;
}

}  // namespace restate::fake

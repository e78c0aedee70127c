// Cache: the last seen state of every watched object, as immutable snapshots.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "restate/base/guarded.h"
#include "restate/kube/object.h"
#include "restate/kube/resource.h"

namespace restate::runtime {

// One object before and after. `after` null: deleted; `before` null: new.
struct Change {
  kube::ObjectPtr before, after;
};

// Thread safe; one mutex, nothing is called while it is held. Reflectors write what the API server tells them; whoever
// writes to the API server puts the answer in as well (Observe), so that the next pass reads its own writes.
class Cache {
 public:
  // Snapshots. A null pointer or an empty list: not seen.
  kube::ObjectPtr Get(const kube::Resource& resource, const kube::Key& key) const;
  std::vector<kube::ObjectPtr> OwnedBy(const kube::Resource& resource, std::string_view owner_uid) const;
  std::vector<kube::ObjectPtr> List(const kube::Resource& resource) const;
  std::size_t Size(const kube::Resource& resource) const;
  // Whether the first list of this resource is complete.
  bool Synced(const kube::Resource& resource) const;

  // From a complete list: replaces everything at once; what is absent from it is deleted. An entry that is newer than the
  // list's (by a write of ours) stays.
  std::vector<Change> Replace(const kube::Resource& resource, std::vector<kube::ObjectPtr> objects);
  // From a watch event or the answer to a write. Older than what is known (same uid, both versions integers, lower): no
  // change. Another uid: the old incarnation is deleted, the new one added.
  std::vector<Change> Put(const kube::Resource& resource, kube::ObjectPtr object);
  // From a DELETED event: only that incarnation.
  std::vector<Change> Remove(const kube::Resource& resource, const kube::Key& key, std::string_view uid);
  // Our own delete was acknowledged: the incarnation is gone for readers although its DELETED event is still to come.
  void MarkGone(const kube::Resource& resource, const kube::Key& key, std::string_view uid);

 private:
  struct Store {
    bool synced = false;
    std::map<kube::Key, kube::ObjectPtr> objects;
    std::unordered_map<std::string, std::vector<kube::Key>> by_owner;
    std::unordered_set<std::string> gone;  // uids whose delete we saw acknowledged, until the watch confirms it
  };
  mutable std::mutex mutex_;
  std::map<kube::Resource, Store> stores_ GUARDED_BY(mutex_);
};

}  // namespace restate::runtime

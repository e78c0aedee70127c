// Cache: the last seen state of every watched object, as immutable snapshots.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "restate/base/guarded.h"
#include "restate/kube/object.h"
#include "restate/kube/resource.h"

namespace restate::runtime {

// One object before and after. `after` null: deleted; `before` null: new. Both may be the same version: "look again".
struct Change {
  kube::ObjectPtr before, after;
};

// Whether resource version `a` is certainly older than `b`: both are plain decimal integers and `a` is the lower one.
// Anything else has no order (client-rules W1).
bool IsOlder(std::string_view a, std::string_view b);

// Thread safe; one mutex, nothing is called while it is held. Reflectors write what the API server tells them; whoever
// writes to the API server puts the answer in as well, so that the next pass reads its own writes.
class Cache {
 public:
  // Snapshots. A null pointer or an empty list: not seen. Lists are sorted by key.
  kube::ObjectPtr Get(const kube::Resource& resource, const kube::Key& key) const;
  std::vector<kube::ObjectPtr> OwnedBy(const kube::Resource& resource, std::string_view owner_uid) const;
  std::vector<kube::ObjectPtr> List(const kube::Resource& resource) const;
  // Of one namespace; costs what that holds, however many there are.
  std::vector<kube::ObjectPtr> ListIn(const kube::Resource& resource, std::string_view ns) const;
  std::size_t Size(const kube::Resource& resource) const;
  // Whether the first list of this resource is complete, and it has not been withdrawn since.
  bool Synced(const kube::Resource& resource) const;

  // From a complete list of version `version`: replaces everything at once; what is absent from it is deleted. An entry
  // that is newer than the list (by a write of ours) stays. Returns a change for every object of the list, also where
  // nothing is new to the cache (an answer of ours may have brought it, which no one was told about), and for every
  // deletion, with the last known state.
  std::vector<Change> Replace(const kube::Resource& resource, std::vector<kube::ObjectPtr> objects,
                              std::string_view version = "");
  // From a watch event or the answer to a write. Certainly older than what is known under this name, or of an
  // incarnation that is gone: no change. Another uid: the old incarnation is deleted, the new one added.
  std::vector<Change> Put(const kube::Resource& resource, kube::ObjectPtr object);
  // From a read of this one object: it is there at this version, although a watch said that it is gone: it has left the
  // watch's label selector.
  std::vector<Change> PutFound(const kube::Resource& resource, kube::ObjectPtr object);
  // The resource itself is gone, by its definition: it is not synced before its next complete list. What was known of
  // it stays until then (W22).
  void Withdraw(const kube::Resource& resource);
  // From a DELETED event of version `version`: only that incarnation.
  std::vector<Change> Remove(const kube::Resource& resource, const kube::Key& key, std::string_view uid,
                             std::string_view version = "");
  // Our own delete was acknowledged: the incarnation is gone for readers although its DELETED event is still to come.
  // Should an event show it with a deletionTimestamp, then finalizers hold it and readers see it again.
  void MarkGone(const kube::Resource& resource, const kube::Key& key, std::string_view uid);

 private:
  // An incarnation that readers shall not see again.
  struct Tombstone {
    kube::ObjectPtr last;    // its last state, until the deletion was reported
    std::string version;     // of the deletion
    bool confirmed = false;  // by a watch or a list; else only our own delete says so
  };
  struct Store {
    bool synced = false;
    std::map<kube::Key, kube::ObjectPtr> objects;
    std::map<std::string, std::set<kube::Key>, std::less<>> by_owner;
    std::map<std::string, Tombstone, std::less<>> tombstones;  // by uid
    std::deque<std::string> confirmed;                         // uids of confirmed tombstones, oldest first

    void Insert(kube::ObjectPtr object);
    kube::ObjectPtr Take(const kube::Key& key);
    bool Hides(const kube::ObjectPtr& object);
    void Bury(std::string_view uid, std::string_view version);
    void BuryUnlisted(const std::set<std::string>& listed, std::string_view version, std::vector<Change>* changes);
  };
  const Store* Find(const kube::Resource& resource) const;  // with mutex_ held

  mutable std::mutex mutex_;
  std::map<kube::Resource, Store> stores_ GUARDED_BY(mutex_);
};

}  // namespace restate::runtime

#include "restate/runtime/cache.h"

#include <algorithm>
#include <utility>

namespace restate::runtime {
namespace {

// How many deleted incarnations a store remembers. An answer to a write can arrive after the DELETED event of its
// object; that takes milliseconds, so this is ample.
constexpr std::size_t kRemembered = 1024;

bool IsDecimal(std::string_view text) {
  return !text.empty() && (text == "0" || text.front() != '0') &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool IsOlder(std::string_view a, std::string_view b) {
  if (!IsDecimal(a) || !IsDecimal(b)) return false;
  return a.size() != b.size() ? a.size() < b.size() : a < b;  // of any length, without overflow
}

kube::ObjectPtr Cache::Get(const kube::Resource& resource, const kube::Key& key) const {
  std::lock_guard lock(mutex_);
  const Store* store = Find(resource);
  if (store == nullptr) return nullptr;
  const auto found = store->objects.find(key);
  return found == store->objects.end() ? nullptr : found->second;
}

std::vector<kube::ObjectPtr> Cache::OwnedBy(const kube::Resource& resource, std::string_view owner_uid) const {
  std::vector<kube::ObjectPtr> owned;
  std::lock_guard lock(mutex_);
  const Store* store = Find(resource);
  if (store == nullptr) return owned;
  const auto keys = store->by_owner.find(owner_uid);
  if (keys == store->by_owner.end()) return owned;
  for (const kube::Key& key : keys->second) owned.push_back(store->objects.at(key));
  return owned;
}

std::vector<kube::ObjectPtr> Cache::List(const kube::Resource& resource) const {
  std::vector<kube::ObjectPtr> all;
  std::lock_guard lock(mutex_);
  const Store* store = Find(resource);
  if (store == nullptr) return all;
  all.reserve(store->objects.size());
  for (const auto& [key, object] : store->objects) all.push_back(object);
  return all;
}

std::vector<kube::ObjectPtr> Cache::ListIn(const kube::Resource& resource, std::string_view ns) const {
  std::vector<kube::ObjectPtr> all;
  std::lock_guard lock(mutex_);
  const Store* store = Find(resource);
  if (store == nullptr) return all;
  // Keys are in the order of their namespaces.
  for (auto it = store->objects.lower_bound({std::string(ns), ""}); it != store->objects.end(); ++it) {
    if (it->first.ns != ns) break;
    all.push_back(it->second);
  }
  return all;
}

std::size_t Cache::Size(const kube::Resource& resource) const {
  std::lock_guard lock(mutex_);
  const Store* store = Find(resource);
  return store == nullptr ? 0 : store->objects.size();
}

bool Cache::Synced(const kube::Resource& resource) const {
  std::lock_guard lock(mutex_);
  const Store* store = Find(resource);
  return store != nullptr && store->synced;
}

void Cache::Withdraw(const kube::Resource& resource) {
  std::lock_guard lock(mutex_);
  stores_[resource].synced = false;
}

std::vector<Change> Cache::Replace(const kube::Resource& resource, std::vector<kube::ObjectPtr> objects,
                                   std::string_view version) {
  std::vector<Change> changes;
  changes.reserve(objects.size());
  std::map<kube::Key, kube::ObjectPtr> old;
  std::set<std::string> hidden;
  std::lock_guard lock(mutex_);
  Store& store = stores_[resource];
  store.synced = true;
  old.swap(store.objects);
  store.by_owner.clear();
  for (kube::ObjectPtr& object : objects) {
    if (store.Hides(object)) {
      hidden.insert(object->uid());
      continue;
    }
    const auto node = old.extract(object->key());
    kube::ObjectPtr known = node.empty() ? nullptr : node.mapped();
    const bool same = known != nullptr && known->uid() == object->uid();
    if (known && IsOlder(same ? object->resource_version() : version, known->resource_version())) object = known;
    if (known && known->uid() != object->uid()) {
      store.Bury(known->uid(), version);
      changes.push_back({std::move(known), nullptr});
    }
    store.Insert(object);
    changes.push_back({std::move(known), std::move(object)});
  }
  for (auto& [key, known] : old) {
    if (IsOlder(version, known->resource_version())) {  // made by us after the list was taken
      store.Insert(std::move(known));
      continue;
    }
    store.Bury(known->uid(), version);
    changes.push_back({std::move(known), nullptr});
  }
  store.BuryUnlisted(hidden, version, &changes);
  return changes;
}

std::vector<Change> Cache::Put(const kube::Resource& resource, kube::ObjectPtr object) {
  std::lock_guard lock(mutex_);
  Store& store = stores_[resource];
  if (store.Hides(object)) return {};
  const auto found = store.objects.find(object->key());
  if (found == store.objects.end()) {
    store.Insert(object);
    return {{nullptr, std::move(object)}};
  }
  kube::ObjectPtr known = found->second;
  if (IsOlder(object->resource_version(), known->resource_version())) return {};
  if (known->uid() == object->uid() && known->owner_uid() == object->owner_uid()) {
    found->second = object;
    return {{std::move(known), std::move(object)}};
  }
  store.Take(object->key());
  store.Insert(object);
  if (known->uid() == object->uid()) return {{std::move(known), std::move(object)}};
  store.Bury(known->uid(), object->resource_version());
  return {{std::move(known), nullptr}, {nullptr, std::move(object)}};
}

std::vector<Change> Cache::PutFound(const kube::Resource& resource, kube::ObjectPtr object) {
  {
    std::lock_guard lock(mutex_);
    Store& store = stores_[resource];
    const auto tombstone = store.tombstones.find(object->uid());
    // A deletion has a version of its own; the end of a selection has that of the change that ended it.
    if (tombstone != store.tombstones.end() && tombstone->second.version == object->resource_version()) {
      store.tombstones.erase(tombstone);
    }
  }
  return Put(resource, std::move(object));
}

std::vector<Change> Cache::Remove(const kube::Resource& resource, const kube::Key& key, std::string_view uid,
                                  std::string_view version) {
  kube::ObjectPtr last;
  std::lock_guard lock(mutex_);
  Store& store = stores_[resource];
  const auto found = store.objects.find(key);
  if (found != store.objects.end() && found->second->uid() == uid) {
    last = store.Take(key);
  } else if (const auto tombstone = store.tombstones.find(uid); tombstone != store.tombstones.end()) {
    last = std::move(tombstone->second.last);
  }
  store.Bury(uid, version);
  if (last == nullptr) return {};
  return {{std::move(last), nullptr}};
}

void Cache::MarkGone(const kube::Resource& resource, const kube::Key& key, std::string_view uid) {
  std::lock_guard lock(mutex_);
  Store& store = stores_[resource];
  Tombstone& tombstone = store.tombstones[std::string(uid)];
  const auto found = store.objects.find(key);
  if (found == store.objects.end() || found->second->uid() != uid) return;
  tombstone = {.last = store.Take(key), .version = {}, .confirmed = false};
}

const Cache::Store* Cache::Find(const kube::Resource& resource) const {
  const auto found = stores_.find(resource);
  return found == stores_.end() ? nullptr : &found->second;
}

void Cache::Store::Insert(kube::ObjectPtr object) {
  if (!object->owner_uid().empty()) by_owner[object->owner_uid()].insert(object->key());
  auto& slot = objects[object->key()];
  slot = std::move(object);
}

// Takes the entry out of the store and its index.
kube::ObjectPtr Cache::Store::Take(const kube::Key& key) {
  auto node = objects.extract(key);
  if (node.empty()) return nullptr;
  const auto keys = by_owner.find(node.mapped()->owner_uid());
  if (keys != by_owner.end()) {
    keys->second.erase(key);
    if (keys->second.empty()) by_owner.erase(keys);
  }
  return std::move(node.mapped());
}

// Whether `object` shows an incarnation that is gone; else its tombstone, if any, is lifted.
bool Cache::Store::Hides(const kube::ObjectPtr& object) {
  const auto found = tombstones.find(object->uid());
  if (found == tombstones.end()) return false;
  Tombstone& tombstone = found->second;
  if (tombstone.confirmed) {
    // Newer than its deletion: it had only left the label selector and is back.
    const std::string& version = object->resource_version();
    if (version == tombstone.version || IsOlder(version, tombstone.version)) return true;
  } else if (!object->deleting()) {
    tombstone.last = object;
    return true;
  }
  tombstones.erase(found);
  return false;
}

// The deletion is confirmed and reported; what still comes of this incarnation is late.
void Cache::Store::Bury(std::string_view uid, std::string_view version) {
  tombstones.insert_or_assign(std::string(uid), Tombstone{nullptr, std::string(version), true});
  confirmed.emplace_back(uid);
  if (confirmed.size() <= kRemembered) return;
  const auto oldest = tombstones.find(confirmed.front());
  if (oldest != tombstones.end() && oldest->second.confirmed) tombstones.erase(oldest);
  confirmed.pop_front();
}

// Our own deletes that a list without the object confirms: no DELETED event will come for them.
void Cache::Store::BuryUnlisted(const std::set<std::string>& listed, std::string_view version,
                                std::vector<Change>* changes) {
  std::vector<std::string> unlisted;
  for (auto& [uid, tombstone] : tombstones) {
    if (tombstone.confirmed || listed.contains(uid)) continue;
    if (tombstone.last) changes->push_back({std::move(tombstone.last), nullptr});
    unlisted.push_back(uid);
  }
  for (const std::string& uid : unlisted) Bury(uid, version);
}

}  // namespace restate::runtime

// FakeApi's switches for watches and its mini ReplicaSet controller.
#include <chrono>

#include "fake/fake_api_impl.h"

namespace restate::fake {

using json::Value;

namespace {

std::string IdOf(const kube::Resource& resource) { return KindId(resource.group, resource.plural); }

}  // namespace

int FakeApi::watches(const kube::Resource& resource) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->hub.Count(IdOf(resource));
}

bool FakeApi::AwaitWatches(const kube::Resource& resource, int count) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, std::chrono::seconds(30),
                                 [&] { return impl_->hub.Count(IdOf(resource)) >= count; });
}

void FakeApi::CutWatches(const kube::Resource& resource, bool cleanly) {
  const std::lock_guard lock(impl_->mutex);
  for (Watch& watch : impl_->hub.watches()) {
    if (watch.kind_id == IdOf(resource)) watch.end = cleanly ? WatchEnd::kClean : WatchEnd::kBroken;
  }
  impl_->changed.notify_all();
}

void FakeApi::HoldWatchEvents(const kube::Resource& resource) {
  const std::lock_guard lock(impl_->mutex);
  impl_->hub.Hold(IdOf(resource));
}

void FakeApi::ReleaseWatchEvents(const kube::Resource& resource) {
  const std::lock_guard lock(impl_->mutex);
  impl_->hub.Release(IdOf(resource));
  impl_->changed.notify_all();
}

void FakeApi::SendBookmarks(const kube::Resource& resource) {
  const std::lock_guard lock(impl_->mutex);
  const Store& store = impl_->truth.store;
  for (Watch& watch : impl_->hub.watches()) {
    const auto allowed = watch.request.Query("allowWatchBookmarks");
    if (watch.kind_id != IdOf(resource) || (allowed != "1" && allowed != "true")) continue;
    // After the changes before it: a bookmark promises that they were sent.
    std::string text = impl_->hub.Take(store, watch);
    if (!text.empty()) watch.pending.push_back(std::move(text));
    watch.pending.push_back(BookmarkFrame(watch, store.VersionText(watch.position)));
  }
  impl_->changed.notify_all();
}

void FakeApi::SendToWatches(const kube::Resource& resource, std::string_view raw) {
  const std::lock_guard lock(impl_->mutex);
  for (Watch& watch : impl_->hub.watches()) {
    if (watch.kind_id == IdOf(resource)) watch.pending.emplace_back(raw);
  }
  impl_->changed.notify_all();
}

void FakeApi::Impl::SetCounts(const kube::Key& key, const ReplicaCounts& counts) {
  const Kind& kind = KindOf(kube::kReplicaSets);
  const ValuePtr before = truth.store.Find(kind, key);
  if (!before) throw std::logic_error("no ReplicaSet " + key.ToString());
  Value after = *before;
  Value& status = after["status"];
  status["replicas"] = counts.replicas;
  status["observedGeneration"] = before->IntAt({"metadata", "generation"});
  // Counts of zero are left out, as the real controller's are.
  for (const auto& [name, count] : {std::pair{"fullyLabeledReplicas", counts.replicas},
                                    {"readyReplicas", counts.ready},
                                    {"availableReplicas", counts.available}}) {
    status.Erase(name);
    if (count > 0) status[name] = count;
  }
  Commit(truth.store, {kind, key, before, std::move(after),
                       {"kube-controller-manager", kind.ApiVersion(), "status", truth.now, true}});
}

void FakeApi::Impl::RunControllers() {
  while (const Change* change = truth.store.NextChange(replica_sets_seen)) {
    replica_sets_seen = change->version;
    if (change->kind_id != IdOf(kube::kReplicaSets) || change->type == ChangeType::kDeleted) continue;
    const kube::Key key = change->key;
    const ValuePtr object = truth.store.Find(KindOf(kube::kReplicaSets), key);
    if (!object || object->FindPath({"metadata", "deletionTimestamp"})) continue;
    const auto wanted = object->IntAt({"spec", "replicas"});
    SetCounts(key, {wanted, wanted, wanted});
  }
}

void FakeApi::SetReplicaCounts(const kube::Key& key, const ReplicaCounts& counts) {
  const std::lock_guard lock(impl_->mutex);
  impl_->Tick();
  impl_->SetCounts(key, counts);
  impl_->changed.notify_all();
}

void FakeApi::MakeReady(const kube::Key& key) {
  const auto object = Get(kube::kReplicaSets, key);
  const auto wanted = object ? object->IntAt({"spec", "replicas"}) : 0;
  SetReplicaCounts(key, {wanted, wanted, wanted});
}

void FakeApi::RunReplicaSets() {
  const std::lock_guard lock(impl_->mutex);
  impl_->Tick();
  impl_->runs_replica_sets = true;
  impl_->Settle();
}

}  // namespace restate::fake

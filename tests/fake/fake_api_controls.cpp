// What tests call: truth behind the API's back, recording, switches.
#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"
#include "fake/fake_api_impl.h"

namespace restate::fake {

using json::Obj;
using json::Value;

const Kind& FakeApi::Impl::KindOf(const kube::Resource& resource) const {
  const Kind* kind = truth.store.FindKind(resource.group, resource.plural);
  if (!kind) throw std::logic_error("the fake API server does not serve " + std::string(resource.plural));
  return *kind;
}

void FakeApi::Impl::Tick() {
  const absl::Time now = clock ? clock->WallTime() : absl::Now();
  truth.now = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone());
}

void FakeApi::Impl::Settle() {
  if (runs_replica_sets) RunControllers();
  if (collects_garbage) fake::CollectGarbage(truth.store, truth.now);
  changed.notify_all();
}

void FakeApi::Serve(const kube::Resource& resource, ServeOptions options) {
  Kind kind{.group = std::string(resource.group),
            .version = std::string(resource.version),
            .kind = std::string(resource.kind),
            .plural = std::string(resource.plural)};
  kind.namespaced = resource.namespaced;
  kind.status_subresource = options.status_subresource;
  kind.scale_subresource = options.scale_subresource;
  kind.has_generation = true;
  kind.shape.list_keys["metadata.ownerReferences"] = {"uid"};
  kind.shape.list_keys["metadata.finalizers"] = {};
  kind.defaulter = std::move(options.defaulter);
  const std::lock_guard lock(impl_->mutex);
  impl_->truth.store.AddKind(std::move(kind));
}

void FakeApi::StopServing(const kube::Resource& resource) {
  const std::lock_guard lock(impl_->mutex);
  impl_->truth.store.RemoveKind(resource.group, resource.plural);
  for (Watch& watch : impl_->hub.watches()) {
    if (watch.kind_id == KindId(resource.group, resource.plural)) watch.end = WatchEnd::kClean;
  }
  impl_->changed.notify_all();
}

void FakeApi::CreateNamespace(std::string_view name) {
  Add(kube::kNamespaces, Obj({{"metadata", Obj({{"name", name}})}}));
}

Value FakeApi::Add(const kube::Resource& resource, Value object) {
  const std::string ns(object.StringAt({"metadata", "namespace"}));
  if (resource.namespaced && !Get(kube::kNamespaces, {"", ns})) CreateNamespace(ns);
  const std::lock_guard lock(impl_->mutex);
  impl_->Tick();
  Store& store = impl_->truth.store;
  const Kind& kind = impl_->KindOf(resource);
  const kube::Key key{resource.namespaced ? ns : "", std::string(object.StringAt({"metadata", "name"}))};
  if (store.Find(kind, key)) throw std::logic_error("Add: " + key.ToString() + " exists already");
  const Value* status = object.Find("status");
  const Value wanted_status = status ? *status : Value();
  Writer writer{"somebody", kind.ApiVersion(), "", impl_->truth.now, true};
  ValuePtr stored = Commit(store, {kind, key, nullptr, std::move(object), writer});
  if (kind.status_subresource && !wanted_status.is_null()) {
    Value after = *stored;
    after["status"] = wanted_status;
    writer.subresource = "status";
    stored = Commit(store, {kind, key, stored, std::move(after), writer});
  }
  if (kind.plural == "customresourcedefinitions") TakeDefinition(store, *stored, impl_->truth.now);
  impl_->Settle();
  return *stored;
}

std::optional<Value> FakeApi::Get(const kube::Resource& resource, const kube::Key& key) const {
  const std::lock_guard lock(impl_->mutex);
  const ValuePtr found = impl_->truth.store.Find(impl_->KindOf(resource), key);
  return found ? std::optional<Value>(*found) : std::nullopt;
}

std::vector<Value> FakeApi::List(const kube::Resource& resource) const {
  std::vector<Value> all;
  ForEach(resource, [&](const Value& object) { all.push_back(object); });
  return all;
}

void FakeApi::ForEach(const kube::Resource& resource, const std::function<void(const Value&)>& visit) const {
  const std::lock_guard lock(impl_->mutex);
  for (const auto& [key, object] : impl_->truth.store.All(impl_->KindOf(resource))) visit(*object);
}

bool FakeApi::Edit(const kube::Resource& resource, const kube::Key& key, const std::function<void(Value&)>& edit,
                   std::string_view manager) {
  const auto read = Get(resource, key);
  if (!read) return false;
  Value after = *read;
  edit(after);
  const std::lock_guard lock(impl_->mutex);
  impl_->Tick();
  Store& store = impl_->truth.store;
  const Kind& kind = impl_->KindOf(resource);
  Writer writer{std::string(manager), kind.ApiVersion(), "", impl_->truth.now, true};
  ValuePtr before = store.Find(kind, key);
  if (!before) return false;
  before = Commit(store, {kind, key, before, after, writer});
  writer.subresource = "status";
  if (kind.status_subresource && store.Find(kind, key)) {
    Commit(store, {kind, key, before, std::move(after), writer});
  }
  impl_->Settle();
  return true;
}

void FakeApi::Remove(const kube::Resource& resource, const kube::Key& key) {
  const std::lock_guard lock(impl_->mutex);
  impl_->truth.store.Remove(impl_->KindOf(resource), key);
  impl_->Settle();
}

void FakeApi::MarkDeleted(const kube::Resource& resource, const kube::Key& key) {
  const std::lock_guard lock(impl_->mutex);
  impl_->Tick();
  const Kind& kind = impl_->KindOf(resource);
  if (!impl_->truth.store.Find(kind, key)) throw std::logic_error("MarkDeleted: no " + key.ToString());
  DeleteObject(impl_->truth.store, kind, key, "Background", impl_->truth.now);
  impl_->Settle();
}

void FakeApi::RemoveNamespace(std::string_view name) {
  const std::lock_guard lock(impl_->mutex);
  Store& store = impl_->truth.store;
  for (const Kind* kind : store.kinds()) {
    const Objects objects = store.All(*kind);
    for (const auto& [key, object] : objects) {
      if (kind->namespaced && key.ns == name) store.Remove(*kind, key);
    }
  }
  store.Remove(impl_->KindOf(kube::kNamespaces), {"", std::string(name)});
  impl_->Settle();
}

std::string FakeApi::resource_version() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->truth.store.VersionText(impl_->truth.store.version());
}

void FakeApi::UseOpaqueVersions() {
  const std::lock_guard lock(impl_->mutex);
  impl_->truth.store.UseOpaqueVersions();
}

void FakeApi::UseClock(const Clock& clock) {
  const std::lock_guard lock(impl_->mutex);
  impl_->clock = &clock;
}

int FakeApi::CollectGarbage() {
  const std::lock_guard lock(impl_->mutex);
  impl_->Tick();
  const int changed = fake::CollectGarbage(impl_->truth.store, impl_->truth.now);
  impl_->Settle();
  return changed;
}

void FakeApi::CollectGarbageAutomatically() {
  const std::lock_guard lock(impl_->mutex);
  impl_->collects_garbage = true;
}

std::vector<ApiRequest> FakeApi::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return {impl_->requests.begin(), impl_->requests.end()};
}

std::vector<ApiRequest> FakeApi::writes() const {
  auto all = requests();
  std::erase_if(all, [](const ApiRequest& request) { return !request.IsWrite(); });
  return all;
}

void FakeApi::ClearRequests() {
  const std::lock_guard lock(impl_->mutex);
  impl_->first_number += static_cast<int>(impl_->requests.size());
  impl_->requests.clear();
  impl_->max_in_flight = impl_->in_flight;
}

int FakeApi::connections() const { return impl_->server->connections(); }

int FakeApi::max_in_flight() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->max_in_flight;
}

void FakeApi::OnRequest(RequestHook hook) {
  const std::lock_guard lock(impl_->mutex);
  impl_->hook = std::move(hook);
}

void FakeApi::AfterWrite(int k, std::function<void()> callback, When when) {
  const std::lock_guard lock(impl_->mutex);
  impl_->writes_to_go = k;
  impl_->after_write = std::move(callback);
  impl_->when = when;
}

void FakeApi::SkewList(const kube::Resource& resource, std::string_view resource_version) {
  const std::lock_guard lock(impl_->mutex);
  const auto version = impl_->truth.store.VersionOf(resource_version);
  if (!version) throw std::logic_error("SkewList: not a version of this server");
  impl_->truth.skewed[KindId(resource.group, resource.plural)] = *version;
}

void FakeApi::UnskewLists() {
  const std::lock_guard lock(impl_->mutex);
  impl_->truth.skewed.clear();
}

void FakeApi::ExpireBefore(std::string_view resource_version, ExpiredForm form) {
  const std::lock_guard lock(impl_->mutex);
  const auto version = impl_->truth.store.VersionOf(resource_version);
  if (!version) throw std::logic_error("ExpireBefore: not a version of this server");
  impl_->truth.expired_before = *version;
  impl_->expired_form = form;
}

void FakeApi::ExpireContinueTokens() {
  const std::lock_guard lock(impl_->mutex);
  impl_->truth.expired_tokens_before = impl_->truth.store.version() + 1;
}

void FakeApi::BreakConnections() { impl_->server->BreakConnections(); }

}  // namespace restate::fake

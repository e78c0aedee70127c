#include "live_world.h"

#include <algorithm>

#include "made_up.h"
#include "restate/base/error.h"
#include "restate/kube/applier.h"

namespace restate::cli {
namespace {

using json::Value;

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// With the number of replicas that the scale subresource was asked for.
Value Scaled(Value object, const Value& scale) {
  object["spec"]["replicas"] = scale.IntAt({"spec", "replicas"});
  return object;
}

}  // namespace

Value Comparable(Value object) {
  if (object.is_null()) return object;
  object.Erase("status");
  Value& metadata = object["metadata"];
  for (const std::string_view member :
       {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}) {
    metadata.Erase(member);
  }
  if (!metadata.Find("annotations")) return object;
  metadata["annotations"].Erase(kLastApplied);
  if (metadata["annotations"] == Value(json::Object())) metadata.Erase("annotations");
  return object;
}

absl::StatusOr<bool> LiveWorld::Play(const plan::Step& step) {
  if (const auto* create = std::get_if<plan::Create>(&step)) return Do(*create);
  if (const auto* apply = std::get_if<plan::Apply>(&step)) return Do(*apply);
  if (const auto* removal = std::get_if<plan::Delete>(&step)) return Do(*removal);
  if (std::string note = NoteOn(step); !note.empty()) Tell(std::move(note));
  return false;
}

void LiveWorld::Tell(std::string note) {
  note = OneLine(std::move(note));
  if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(std::move(note));
}

// What is there before the first step about it. The lists may not have all of it, or not show it.
absl::Status LiveWorld::Begin(const Id& id) {
  if (changes_.contains(id)) return absl::OkStatus();
  auto live = client_.Get(id.first, id.second, stop_);
  if (!live.ok() && !kube::IsNotFound(live.status())) return live.status();
  Value before = live.ok() ? *std::move(live) : Value();
  changes_.emplace(id, ObjectChange{id.first, id.second, before, before});
  order_.push_back(id);
  return absl::OkStatus();
}

bool LiveWorld::Learn(const Id& id, Value after) {
  ObjectChange& change = changes_.at(id);
  const bool changed = Comparable(change.after) != Comparable(after);
  if (id.first == kube::kNamespaces && change.before.is_null()) new_namespaces_.insert(id.second.name);
  if (auto object = kube::Object::From(after); object.ok()) stage_.cache.Put(id.first, *std::move(object));
  change.after = std::move(after);
  return changed;
}

absl::StatusOr<bool> LiveWorld::Do(const plan::Create& step) {
  const Id id{step.resource, kube::KeyOf(step.body)};
  RETURN_IF_ERROR(Begin(id));
  auto answer = Answer(step);
  if (!answer.ok()) return answer.status();
  return Learn(id, *std::move(answer));
}

absl::StatusOr<bool> LiveWorld::Do(const plan::Apply& step) {
  if (step.live && kube::IsNoOpApply(step.body, step.live->Body(), step.manager, step.subresource)) return false;
  const Id id{step.resource, kube::KeyOf(step.body)};
  RETURN_IF_ERROR(Begin(id));
  const ObjectChange& change = changes_.at(id);
  if (!step.live && step.must_be_new && !change.before.is_null() && change.after == change.before) {
    auto found = kube::Object::From(change.before);
    if (!found.ok()) return found.status();
    stage_.cache.PutFound(step.resource, *std::move(found));  // the next pass sees it, and what to do about it
    return true;
  }
  auto answer = Answer(step, change.before.is_null());
  if (!answer.ok() && step.if_refused) {
    Tell(absl::StrCat("warns: ", step.if_refused->note, ": ", std::string(MessageOf(answer.status()))));
    return false;
  }
  if (!answer.ok()) return answer.status();
  return Learn(id, *std::move(answer));
}

absl::StatusOr<Value> LiveWorld::Answer(const plan::Create& step) {
  if (new_namespaces_.contains(kube::KeyOf(step.body).ns)) return AsLive(step.body, step.resource, 1);
  return client_.Create(step.resource, step.body, step.manager, stop_);
}

// `made_up`: the server does not know the object, although the stage may.
absl::StatusOr<Value> LiveWorld::Answer(const plan::Apply& step, bool made_up) {
  const kube::Key key = kube::KeyOf(step.body);
  const Value& so_far = changes_.at({step.resource, key}).after;
  if (step.subresource == "scale") return Scaled(so_far, step.body);
  Value body = step.body;
  if (made_up) body["metadata"].Erase("uid");
  if (new_namespaces_.contains(key.ns) || (made_up && step.live)) {
    Value whole = so_far.is_null() ? Value(json::Object()) : so_far;
    Merge(whole, body);
    return AsLive(std::move(whole), step.resource, 1);
  }
  return client_.Apply(
      step.resource, body,
      {.manager = step.manager, .subresource = step.subresource, .force = step.live != nullptr && !made_up}, stop_);
}

absl::StatusOr<bool> LiveWorld::Do(const plan::Delete& step) {
  const Id id{step.resource, step.key};
  RETURN_IF_ERROR(Begin(id));
  ObjectChange& change = changes_.at(id);
  if (!change.before.is_null()) {
    const kube::DeleteOptions options{.uid = step.uid, .resource_version = {}, .propagation = step.propagation};
    RETURN_IF_ERROR(client_.Delete(step.resource, step.key, options, stop_));
  }
  stage_.cache.MarkGone(step.resource, step.key, step.uid);
  change.after = Value();
  return true;
}

std::vector<ObjectChange> LiveWorld::Changes() const {
  std::vector<ObjectChange> changed;
  for (const Id& id : order_) {
    const ObjectChange& change = changes_.at(id);
    if (Comparable(change.before) != Comparable(change.after)) changed.push_back(change);
  }
  return changed;
}

}  // namespace restate::cli

#include "render_world.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "made_up.h"
#include "restate/cluster/observed.h"

namespace restate::cli {
namespace {

using json::Arr;
using json::Obj;
using json::Value;

Value With(std::string_view condition) {
  return Obj({{"conditions", Arr({Obj({{"type", condition}, {"status", "True"}})})}});
}

Value FullReplicas(const Value& live) {
  const auto replicas = live.IntAt({"spec", "replicas"}, 1);
  return Obj({{"observedGeneration", 1},
              {"replicas", replicas},
              {"readyReplicas", replicas},
              {"availableReplicas", replicas}});
}

// What others would write into the statuses of objects that the operator waits for before it makes others. The rest is
// not made up: nothing more would come of it.
struct Wish {
  kube::Resource resource;
  Value (*status)(const Value& live);
};
const std::array kWishes{
    Wish{kube::kReplicaSets, FullReplicas},
    Wish{cluster::kPodIdentityAssociations, [](const Value&) { return With("ACK.ResourceSynced"); }},
    Wish{cluster::kPolicyMembers, [](const Value&) { return With("Ready"); }},
    Wish{cluster::kJobs, [](const Value&) { return With("Complete"); }},
};

}  // namespace

Value RenderWorld::Made::Whole() const {
  Value whole = json::Object();
  for (const auto& [manager, body] : applied) Merge(whole, body);
  return whole;
}

void RenderWorld::Show(const Id& id, Made& made) {
  Value live = AsLive(made.Whole(), id.first, ++made.version);
  if (!made.status.is_null()) live["status"] = made.status;
  if (auto object = kube::Object::From(live); object.ok()) stage_.cache.Put(id.first, *std::move(object));
}

bool RenderWorld::Make(const kube::Resource& resource, Value body, const std::string& manager) {
  body["metadata"].Erase("uid");
  const Id id{resource, kube::KeyOf(body)};
  const auto [entry, is_new] = made_.try_emplace(id);
  auto& applied = entry->second.applied;
  const auto earlier = std::find_if(applied.begin(), applied.end(), [&](const auto& a) { return a.first == manager; });
  if (earlier != applied.end() && earlier->second == body) return false;
  if (is_new) order_.emplace_back(id, "");
  if (earlier != applied.end()) {
    earlier->second = std::move(body);
  } else {
    applied.emplace_back(manager, std::move(body));
  }
  Show(id, entry->second);
  return true;
}

bool RenderWorld::Remove(const plan::Delete& step) {
  Tell(absl::StrCat("deletes ", std::string(step.resource.kind), " ", step.key.ToString()));
  stage_.cache.MarkGone(step.resource, step.key, step.uid);
  return true;
}

absl::StatusOr<bool> RenderWorld::Play(const plan::Step& step) {
  if (const auto* create = std::get_if<plan::Create>(&step)) {
    return Make(create->resource, create->body, create->manager);
  }
  if (const auto* apply = std::get_if<plan::Apply>(&step)) {
    return apply->subresource.empty() && Make(apply->resource, apply->body, apply->manager);
  }
  if (const auto* removal = std::get_if<plan::Delete>(&step)) return Remove(*removal);
  if (std::string note = NoteOn(step); !note.empty()) Tell(std::move(note));
  return false;
}

void RenderWorld::Tell(std::string note) {
  note = OneLine(std::move(note));
  const auto told = [&](const auto& line) { return line.second == note; };
  if (std::none_of(order_.begin(), order_.end(), told)) order_.emplace_back(Id{}, std::move(note));
}

bool RenderWorld::Grant() {
  bool changed = !stage_.as_wished;
  stage_.as_wished = true;
  for (auto& [id, made] : made_) {
    for (const Wish& wish : kWishes) {
      if (wish.resource != id.first || !made.status.is_null()) continue;
      made.status = wish.status(made.Whole());
      Show(id, made);
      changed = true;
    }
  }
  return changed;
}

std::vector<Line> RenderWorld::Story() const {
  std::vector<Line> story;
  for (const auto& [id, note] : order_) {
    story.push_back(note.empty() ? Line{made_.at(id).Whole(), ""} : Line{{}, note});
  }
  return story;
}

}  // namespace restate::cli

#include "restate/app/kind_controller.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "restate/base/error.h"

namespace restate::app {
namespace {

using Priority = runtime::WorkQueue::Priority;

constexpr Clock::Duration kCachePoll = std::chrono::milliseconds(20);

}  // namespace

KeysOf One(std::optional<kube::Key> (*key_of)(const runtime::Change&)) {
  return [key_of](const runtime::Change& change, const runtime::Cache&) {
    const auto key = key_of(change);
    return key ? std::vector{*key} : std::vector<kube::Key>();
  };
}

KindController::KindController(Shared shared, runtime::WorkQueue& queue, KindSetup setup, ControllerSettings settings,
                               std::function<void(absl::Status)> fatal)
    : shared_(shared),
      queue_(queue),
      setup_(std::move(setup)),
      settings_(std::move(settings)),
      fatal_(std::move(fatal)),
      applier_(shared_.client),
      statuses_(shared_.client, cache_, shared_.clock),
      controller_(
          {.name = std::string(setup_.name), .workers = settings_.workers}, queue_, shared_.clock,
          [this](const kube::Key& key, std::stop_token stop) { return Pass(key, stop); },
          &shared_.state.metrics.Passes(setup_.name)) {
  for (const Watched& watched : setup_.watches) Follow(watched);
  const auto optional = [](const Watched& watched) { return watched.optional; };
  if (std::any_of(setup_.watches.begin(), setup_.watches.end(), optional)) FollowDefinitions();
}

KindController::~KindController() {
  RequestStop();
  // These add to the queue and start each other: they end before what they use.
  starter_ = {};
  definitions_.reset();
  followers_.clear();
}

std::string KindController::NamespaceOf(const Watched& watched) const {
  if (!watched.resource.namespaced) return "";
  return watched.ns.empty() ? settings_.ns : watched.ns;
}

void KindController::Follow(const Watched& watched) {
  auto follower = std::make_unique<Follower>();
  const auto changed = [this, from = follower.get()](const std::vector<runtime::Change>& changes, bool initial) {
    Changed(*from, changes, initial);
  };
  follower->watched = watched;
  follower->reflector = std::make_unique<runtime::Reflector>(
      runtime::ReflectorOptions{.resource = watched.resource,
                                .ns = NamespaceOf(watched),
                                .selector = watched.selector,
                                .metadata_only = watched.metadata_only},
      shared_.client, cache_, shared_.clock, changed, &shared_.state.metrics.Watches());
  followers_.push_back(std::move(follower));
}

void KindController::Changed(Follower& follower, const std::vector<runtime::Change>& changes, bool initial) {
  const Priority priority = initial ? Priority::kBackground : Priority::kLive;
  for (const runtime::Change& change : changes) {
    if (!leads_) break;
    for (const kube::Key& key : follower.watched.keys_of(change, cache_)) queue_.Add(key, priority);
  }
  const bool first = !follower.listed.exchange(true);
  // Passes took it for absent until now, and no object of it tells which of them that mattered to.
  if (first && (follower.watched.optional || !follower.watched.needed)) WakeAll();
}

void KindController::WakeAll() {
  if (!leads_) return;
  for (const auto& follower : followers_) {
    if (follower->watched.resource != setup_.resource) continue;
    for (const kube::ObjectPtr& object : cache_.List(setup_.resource)) {
      for (const kube::Key& key : follower->watched.keys_of({nullptr, object}, cache_)) {
        queue_.Add(key, Priority::kBackground);
      }
    }
  }
}

// One watch tells of all optional APIs, also of those that are installed later; asking for each would never end.
void KindController::FollowDefinitions() {
  definitions_ = std::make_unique<runtime::Reflector>(
      runtime::ReflectorOptions{
          .resource = kube::kCustomResourceDefinitions, .ns = {}, .selector = {}, .metadata_only = true},
      shared_.client, cache_, shared_.clock,
      [this](const std::vector<runtime::Change>& changes, bool) {
        for (const runtime::Change& change : changes) DefinitionChanged(change);
        definitions_listed_ = true;
      },
      &shared_.state.metrics.Watches());
}

void KindController::DefinitionChanged(const runtime::Change& change) {
  const std::string& name = (change.after ? change.after : change.before)->key().name;
  for (const auto& follower : followers_) {
    if (!follower->watched.optional || kube::DefinitionOf(follower->watched.resource) != name) continue;
    change.after ? Appear(*follower) : Vanish(*follower);
  }
}

// A definition changes a few times until its API is served, so each change is worth a new try.
void KindController::Appear(Follower& follower) {
  if (cache_.Synced(follower.watched.resource)) return;
  follower.started = true;
  follower.reflector->Start();
}

// That a list answers 404 would not be enough to say this (client-rules W22): the definition itself is gone.
void KindController::Vanish(Follower& follower) {
  if (!follower.started.exchange(false)) return;
  follower.reflector->Stop();
  spdlog::info("{}: its definition is gone", kube::DefinitionOf(follower.watched.resource));
  cache_.Withdraw(follower.watched.resource);
  follower.listed = false;
  WakeAll();
}

void KindController::Start() {
  leads_ = shared_.leadership.Leads();
  starter_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

void KindController::Run(std::stop_token stop) {
  const CrdGate gate{setup_.resource, settings_.pod};
  const absl::Status served =
      gate.Wait(shared_.client, shared_.clock, shared_.state.metrics, shared_.events, shared_.leadership, stop);
  if (!served.ok()) {
    if (!stop.stop_requested()) fatal_(served);
    return;
  }
  for (const auto& follower : followers_) {
    if (!follower->watched.optional && !follower->started.exchange(true)) follower->reflector->Start();
  }
  if (definitions_) definitions_->Start();
  if (!WaitForCaches(stop)) return;
  ready_ = true;
  spdlog::info("{}: ready", name());
  if (!shared_.leadership.Await(stop)) return;
  if (!leads_.exchange(true)) WakeAll();
  controller_.Start();
}

// Without the right to read the definitions each optional API is asked for by itself.
bool KindController::DefinitionsKnown() {
  if (!definitions_ || definitions_listed_) return true;
  if (!definitions_->Trouble().starts_with("forbidden")) return false;
  for (const auto& follower : followers_) {
    if (!follower->started.exchange(true)) follower->reflector->Start();
  }
  return true;
}

// Whether passes wait for the first list. Of optional APIs, those that are there count too: what is not listed yet
// would be taken for absent. One that the operator may not read is as good as absent.
bool KindController::Awaited(const Follower& follower) const {
  if (!follower.watched.needed || cache_.Synced(follower.watched.resource)) return false;
  if (!follower.watched.optional) return true;
  const std::string trouble = follower.reflector->Trouble();
  return follower.started && !trouble.starts_with("not served") && !trouble.starts_with("forbidden");
}

// No pass before every cache it reads has its first complete list (client-rules W19).
bool KindController::WaitForCaches(std::stop_token stop) {
  const auto awaited = [this](const auto& follower) { return Awaited(*follower); };
  while (!DefinitionsKnown() || std::any_of(followers_.begin(), followers_.end(), awaited)) {
    if (!shared_.clock.Sleep(kCachePoll, stop)) return false;
  }
  return true;
}

runtime::Next KindController::Pass(const kube::Key& key, std::stop_token stop) {
  const plan::World world{shared_.state.config,
                          shared_.clock,
                          cache_,
                          shared_.client,
                          applier_,
                          shared_.events,
                          shared_.admin,
                          shared_.usage,
                          shared_.node_client,
                          shared_.nodes,
                          shared_.secrets,
                          statuses_,
                          shared_.state.diagnostics,
                          stop};
  runtime::Next next = setup_.pass(key, world);
  const kube::ObjectPtr object = cache_.Get(setup_.resource, key);
  if (setup_.passed) setup_.passed(key, object, next.error);
  if (!object) shared_.state.metrics.Forget(name(), key);
  return next;
}

void KindController::RequestStop() {
  ready_ = false;
  starter_.request_stop();
  controller_.RequestStop();
}

bool KindController::Join(Clock::Duration limit) { return controller_.Join(limit); }

std::string KindController::Trouble() const {
  if (definitions_) {
    if (std::string trouble = definitions_->Trouble(); !trouble.empty()) return trouble;
  }
  for (const auto& follower : followers_) {
    if (!follower->started && follower->watched.optional) continue;
    if (std::string trouble = follower->reflector->Trouble(); !trouble.empty()) return trouble;
  }
  return ready_ ? "" : "waiting for its CRD and its first lists";
}

void KindController::Measure() {
  for (const auto& follower : followers_) {
    shared_.state.metrics.SetCacheObjects(follower->watched.resource, cache_.Size(follower->watched.resource));
  }
  shared_.state.metrics.SetLoad(name(), controller_.load());
}

}  // namespace restate::app

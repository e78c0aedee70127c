// Reconcile: one pass, the same for every kind. Observe gathers everything a decision may look at; MakePlan decides
// (pure); Execute acts; Report says what to tell (pure).
//
// A kind offers:
//   static constexpr std::string_view kName;                                     "RestateDeployment"
//   static constexpr kube::Resource kResource;                                   of its objects
//   struct Observed;                                                             with `.object` (kube::ObjectPtr)
//   static std::optional<Observed> Observe(const kube::Key&, const World&);      nullopt: the object is gone
//   static MadePlan MakePlan(const Observed&);                                   derived from Plan
//   static Report MakeReport(const Observed&, const MadePlan&, const Outcome&);
//   static void Forgotten(const kube::Key&, const World&);                       drop what is remembered of it
#pragma once

#include <optional>
#include <utility>

#include "restate/plan/execute.h"
#include "restate/plan/plan.h"
#include "restate/plan/triggers.h"
#include "restate/plan/world.h"
#include "restate/runtime/controller.h"

namespace restate::plan {

// What a pass tells the world about its object.
struct Report {
  std::optional<StatusToPublish> status;  // nullopt: nothing to say in this pass
  std::optional<kube::Event> event;       // of a failure
  std::optional<Waiting> waiting;         // nullopt: the object is where it should be
};

// The key's next date: the plan's, unless a step or the status write failed. `hold_back`: a status waits to be written.
runtime::Next NextPass(const Plan& plan, const Outcome& outcome,
                       const absl::StatusOr<std::optional<Clock::Duration>>& published);

template <class Kind>
runtime::Next Reconcile(const kube::Key& key, const World& world) {
  const auto observed = Kind::Observe(key, world);
  if (!observed) {
    Kind::Forgotten(key, world);
    world.diagnostics.Forget(Kind::kName, key);
    world.statuses.Forget(key);
    return runtime::Next::Forget();
  }
  const auto plan = Kind::MakePlan(*observed);
  const Outcome outcome = Execute(plan, key, world);
  Report report = Kind::MakeReport(*observed, plan, outcome);
  absl::StatusOr<std::optional<Clock::Duration>> published = std::nullopt;
  if (report.status) published = world.statuses.Publish(*report.status, world.stop);
  if (report.event) world.events.Record(*std::move(report.event));
  world.diagnostics.Passed(Kind::kName, key, std::move(report.waiting), world.clock.WallTime());
  // An answer to a write of this pass may have brought somebody's change into the cache. Its watch event is then no
  // news any more and wakes nobody.
  const auto now = world.cache.Get(Kind::kResource, key);
  if (now && CallsForPass(*observed->object, *now)) return runtime::Next::After(Clock::Duration::zero());
  return NextPass(plan, outcome, published);
}

}  // namespace restate::plan

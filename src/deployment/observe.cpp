// Which looks at Restate a pass needs, and asking for them.
#include <algorithm>

#include "restate/deployment/gates.h"
#include "restate/deployment/observed.h"
#include "restate/plan/verdict.h"

namespace restate::deployment {
namespace {

// Of a look that only confirms that all is as it was. A little less than the time between two steady passes, so that
// each of a lone object's sees news.
constexpr Clock::Duration kSteadyLook = std::chrono::seconds(290);

bool AnyMayBeRegistered(const Observed& seen, const Version* but) {
  return std::any_of(seen.versions.begin(), seen.versions.end(),
                     [&](const Version& v) { return &v != but && v.MayBeRegistered(); });
}

// The status says of the present spec that all is as it should be.
bool WasReady(const Observed& seen) {
  return seen.status && seen.status->observed_generation == seen.object->generation() && plan::IsReady(*seen.object);
}

// From the answer to a look until the pass that it wakes has it.
constexpr Clock::Duration kThisMoment = std::chrono::milliseconds(200);

// About to be registered: it may be already (see above), and whoever waits for a look is woken when Restate is back.
bool IsToBeRegistered(const Observed& seen, const Version& current) {
  return current.deployment_id.empty() && current.MayBeRegistered() && !VersionNotReady(seen, current);
}

// Those whose work is to end.
std::vector<std::string> IdsOf(const Observed& seen, const Version* current) {
  std::vector<std::string> ids;
  for (const Version& version : seen.versions) {
    if (&version != current && !version.deployment_id.empty()) ids.push_back(version.deployment_id);
  }
  return ids;
}

// What a forced deletion says is lost is to be what there was when it was asked for, and not before: then a look may
// only be as old as the request, whose time is cut to a second. Whoever waits for a look is given one of this moment.
Clock::Duration AgeForLosses(const Observed& seen) {
  if (seen.mode() != Mode::kForce) return kFreshLook;
  const absl::Duration since = seen.now - seen.deletion_requested() - absl::Seconds(1);
  return std::clamp<Clock::Duration>(absl::ToChronoNanoseconds(since), kThisMoment, kFreshLook);
}

// How old a look may be that removals rest on. When one is due, it must have come after the date: a version leaves
// after two looks, drainDelaySeconds apart at least, that found nothing. One look alone is no snapshot (an invocation
// may move between its tables).
Clock::Duration AgeForRemovals(const Observed& seen, const Version* current) {
  Clock::Duration age = AgeForLosses(seen);
  for (const Version& version : seen.versions) {
    const auto at = version.RemovalTime();
    if (&version == current || !at || *at > seen.now) continue;
    age = std::min<Clock::Duration>(age, absl::ToChronoNanoseconds(seen.now - *at));
  }
  return age;
}

}  // namespace

bool Observed::MayBeRegistered() const {
  return (status && status->deployment_id) || AnyMayBeRegistered(*this, nullptr);
}

std::optional<admin::Wanted> LookNeeded(const Observed& seen) {
  if (seen.suspended()) return std::nullopt;
  const Version* current = seen.deleting() ? nullptr : seen.Current();
  if (seen.deleting()) {
    // Where a namespace is deleted, the versions go before the object, and the status may have forgotten them: what
    // they left in Restate is to go as well. A Restate that cannot be named was never registered with.
    const bool named = seen.endpoint.ok() || ReasonOf(seen.endpoint.status()) == Reason::kNotSynced;
    if (!seen.MayBeRegistered() && (!named || !seen.cluster_is_there())) return std::nullopt;
    return admin::Wanted{
        .max_age = AgeForRemovals(seen, current), .count_unpinned = true, .watched = IdsOf(seen, current)};
  }
  const bool routes = current && (!current->deployment_id.empty() || IsToBeRegistered(seen, *current));
  if (!AnyMayBeRegistered(seen, current) && !routes) return std::nullopt;
  const bool retiring = std::any_of(seen.versions.begin(), seen.versions.end(),
                                    [&](const Version& v) { return &v != current && v.AtWork(seen.now); });
  const bool surplus = seen.versions.size() > static_cast<std::size_t>(seen.spec.revision_history_limit) + 1;
  const bool fresh = retiring || surplus || !WasReady(seen);
  return admin::Wanted{.max_age = fresh ? AgeForRemovals(seen, current) : kSteadyLook,
                       .watched = retiring ? IdsOf(seen, current) : std::vector<std::string>()};
}

std::map<admin::Endpoint, admin::Wanted> LooksElsewhere(const Observed& seen) {
  std::map<admin::Endpoint, admin::Wanted> looks;
  const Version* current = seen.deleting() ? nullptr : seen.Current();
  const admin::Wanted wanted{
      .max_age = AgeForRemovals(seen, current), .count_unpinned = true, .watched = IdsOf(seen, current)};
  for (const Version& version : seen.versions) {
    if (&version == current) continue;
    for (const admin::Endpoint& endpoint : version.elsewhere) looks.emplace(endpoint, wanted);
  }
  return looks;
}

std::optional<Observed> Observe(const kube::Key& key, const plan::World& world) {
  auto seen = Gather(key, world.cache, world.config, world.clock.WallTime(), plan::SecretReader(world));
  if (!seen) return std::nullopt;
  const auto wanted = LookNeeded(*seen);
  seen->needs_look = wanted.has_value();
  if (wanted && seen->cluster_is_there() && seen->endpoint.ok())
    seen->usage = world.usage.Ask(*seen->endpoint, key, *wanted);
  if (!wanted) return seen;
  for (const auto& [endpoint, look] : LooksElsewhere(*seen)) {
    seen->elsewhere[endpoint] = world.usage.Ask(endpoint, key, look);
  }
  return seen;
}

}  // namespace restate::deployment

#include "restate/deployment/retirement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/deployment/announce.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/objects.h"

namespace restate::deployment {
namespace {

constexpr std::int64_t kLongestDelay = std::int64_t{10} * 365 * 24 * 3600;  // 10 years: dates stay within four digits

// Every uri that was ever registered for this version begins so, whatever the cluster's domain and the path were.
bool IsUriOf(const Version& version, std::string_view uri) {
  return uri.rfind(absl::StrCat("http://", version.name(), ".", version.object->key().ns, ".svc."), 0) == 0;
}

// What Restate knows a version by. The recorded id counts even when Restate lists it with another uri; without a record
// (a crash between registration and its record) the uri tells.
struct Registered {
  std::string id;
  const admin::DeploymentUse* use = nullptr;
  bool ours = false;  // the uri is this version's: it may be deregistered
};

Registered FindRegistered(const Observed& seen, const Version& version) {
  if (!seen.usage.look) return {};
  if (const auto* use = seen.UseOf(version.deployment_id))
    return {version.deployment_id, use, IsUriOf(version, use->uri)};
  Registered found;
  for (const auto& [id, use] : seen.usage.look->deployments) {
    if (!IsUriOf(version, use.uri)) continue;
    // Of several (the cluster's domain changed) the one with work counts.
    if (!found.use || use.InUse()) found = {id, &use, true};
  }
  return found;
}

class Retirer {
 public:
  explicit Retirer(const Observed& seen) : seen_(seen) {}

  Retirement Run() {
    if (seen_.needs_look && !seen_.usage.look) return std::move(result_);
    const Version* current = seen_.deleting() ? nullptr : seen_.Current();
    for (const Version& version : seen_.versions) {
      if (&version != current) RetireOne(version, FindRegistered(seen_, version));
    }
    return std::move(result_);
  }

 private:
  void RetireOne(const Version& version, const Registered& registered) {
    if (InUse(registered)) {
      Keep(version, registered);
    } else if (const auto wait = UntilRemoval(version, registered)) {
      result_.next_removal = result_.next_removal ? std::min(*result_.next_removal, *wait) : *wait;
    } else {
      Remove(version, registered);
    }
  }

  // A version that is to be deleted anyway may be the latest; otherwise being latest keeps it.
  bool InUse(const Registered& registered) const {
    if (!registered.use) return false;
    if (registered.use->InUse()) return true;
    return seen_.deleting() ? registered.use->unpinned > 0 : registered.use->latest;
  }

  void Keep(const Version& version, const Registered& registered) {
    const auto& use = *registered.use;
    // One that merely is the latest waits for the wanted version, not for invocations.
    if (use.InUse() || use.unpinned > 0) {
      result_.blockers.push_back(
          {version.name(), registered.id, std::max(use.PinnedTotal(), use.attempts), use.unpinned});
    }
    if (version.HasAnnotation(kRemoveVersionAtAnnotation)) {
      result_.steps.push_back(Annotate(version, json::Object(), kRemoveVersion));
    }
    // Work that came back to a version without pods would wait for ever.
    if (version.replicas() == 0 && seen_.spec.replicas > 0) {
      result_.steps.push_back(Scale(version, seen_.spec.replicas, kScaleRestore));
    }
  }

  // nullopt: it is time. Schedules the removal when nobody has.
  std::optional<absl::Duration> UntilRemoval(const Version& version, const Registered& registered) {
    if (!registered.use) return std::nullopt;
    const auto scheduled = version.RemovalTime();
    if (scheduled && *scheduled <= seen_.now) return std::nullopt;
    // A version that is scheduled now is not removed now, however short the delay: that takes another look.
    return (scheduled ? *scheduled : Schedule(version)) - seen_.now;
  }

  absl::Time Schedule(const Version& version) {
    const std::int64_t delay = std::clamp<std::int64_t>(
        seen_.spec.restate.drain_delay_seconds.value_or(crd::kDefaultDrainDelaySeconds), 0, kLongestDelay);
    // Whole seconds, as people write them, and never before the delay is over.
    const absl::Time at = absl::FromUnixSeconds(absl::ToUnixSeconds(seen_.now) + delay + 1);
    const std::string text = absl::FormatTime("%Y-%m-%d%ET%H:%M:%S+00:00", at, absl::UTCTimeZone());
    result_.steps.push_back(Annotate(version, json::Obj({{kRemoveVersionAtAnnotation, text}}), kRemoveVersion));
    result_.steps.push_back(
        Announce(seen_, "VersionDrained",
                 absl::StrCat("Version ", version.name(), " has no unfinished invocations; it is removed at ", text)));
    return at;
  }

  void Remove(const Version& version, const Registered& registered) {
    if (version.object->deleting()) return Deregister(registered);  // somebody deleted it; finalizers hold it
    if (version.replicas() > 0) {
      result_.removes = true;
      result_.steps.push_back(Scale(version, 0, kScaleDown));
      result_.steps.push_back(
          Announce(seen_, "VersionScaledDown", absl::StrCat("Version ", version.name(), " was scaled to zero")));
    }
    if (!seen_.deleting() && retained_ < seen_.spec.revision_history_limit) {
      ++retained_;
      return;
    }
    Deregister(registered);
    result_.removes = true;
    result_.steps.push_back(plan::Delete{kube::kReplicaSets, version.object->key(), version.object->uid()});
    result_.steps.push_back(
        Announce(seen_, "VersionRemoved", absl::StrCat("Version ", version.name(), " was removed")));
  }

  void Deregister(const Registered& registered) {
    if (!registered.use || !registered.ours) return;
    result_.removes = true;
    result_.steps.push_back(plan::Forget{*seen_.endpoint, registered.id});
  }

  const Observed& seen_;
  Retirement result_;
  std::int32_t retained_ = 0;
};

}  // namespace

Retirement Retire(const Observed& seen) { return Retirer(seen).Run(); }

void DeploymentPlan::Add(Retirement retirement, const Observed& seen) {
  for (plan::Step& step : retirement.steps) steps.push_back(std::move(step));
  blockers = std::move(retirement.blockers);
  if (retirement.removes && seen.usage.look) expires = seen.usage.answered + kFreshLook;
}

}  // namespace restate::deployment

#include "restate/deployment/retirement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "restate/deployment/announce.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/objects.h"

namespace restate::deployment {
namespace {

Blocker BlockerOf(std::string_view version, const Registered& registered) {
  return {std::string(version), registered.id, registered.pinned(), registered.use->unpinned};
}

Registered FindIn(const Observed& seen, const admin::Look& look, const Version& version) {
  Registered recorded;
  if (const auto it = look.deployments.find(version.deployment_id); it != look.deployments.end()) {
    recorded = {it->first, &it->second, seen.IsUriOf(version, it->second.uri)};
  }
  if (recorded.ours || (recorded.use && recorded.use->InUse())) return recorded;
  Registered found;
  for (const auto& [id, use] : look.deployments) {
    if (!seen.IsUriOf(version, use.uri)) continue;
    // Of several (the cluster's domain changed) the one with work counts.
    if (!found.use || use.InUse()) found = {id, &use, true};
  }
  return found.use ? found : recorded;
}

class Retirer {
 public:
  explicit Retirer(const Observed& seen) : seen_(seen) {}

  Retirement Run() {
    const Version* current = seen_.deleting() ? nullptr : seen_.Current();
    for (const Version& version : seen_.versions) {
      if (&version != current) RetireOne(version, FindRegistered(seen_, version));
    }
    return std::move(result_);
  }

 private:
  void RetireOne(const Version& version, const Registered& registered) {
    if (seen_.mode() == Mode::kForce) {
      if (HasWork(registered)) result_.abandoned.push_back(BlockerOf(version.name(), registered));
      Remove(version, registered);
    } else if (registered.unanswered) {
      result_.unanswered = registered.unanswered->error;
      result_.waits = result_.waits || registered.unanswered->error.ok();
    } else if (InUse(seen_, registered)) {
      Keep(version, registered);
    } else if (const auto wait = UntilRemoval(version, registered)) {
      result_.next_removal = result_.next_removal ? std::min(*result_.next_removal, *wait) : *wait;
    } else {
      Remove(version, registered);
    }
  }

  static bool HasWork(const Registered& registered) {
    return registered.use && (registered.use->InUse() || registered.use->unpinned > 0);
  }

  void Keep(const Version& version, const Registered& registered) {
    // One that merely is the latest waits for the wanted version, not for invocations.
    if (HasWork(registered)) result_.blockers.push_back(BlockerOf(version.name(), registered));
    if (version.HasAnnotation(kRemoveVersionAtAnnotation)) {
      result_.steps.push_back(Annotate(version, json::Object(), kRemoveVersion));
    }
    KeepPods(version);
  }

  // Pods for the work that is left: as many as there were, or as many as the user's autoscaler wants.
  void KeepPods(const Version& version) {
    if (version.is_knative()) return;  // Knative scales it with its work
    const bool scales = seen_.spec.autoscaling && !seen_.deleting();
    if (scales) {
      result_.steps.push_back(plan::Apply{
          kube::kAutoscalers, AutoscalerFor(seen_, version), std::string(kAutoscaling), "", version.autoscaler,
          Warn(seen_, "AutoscalingApplyFailed",
               absl::StrCat("HorizontalPodAutoscaler ", version.name(), " (spec.autoscaling)"))});
    } else if (version.autoscaler && !seen_.deleting()) {
      RemoveAutoscaler(version);
      if (version.replicas() != seen_.spec.replicas) {
        result_.steps.push_back(Scale(version, seen_.spec.replicas, kScaleRestore));
      }
      return;
    }
    // Work that came back to a version without pods would wait for ever.
    if (version.replicas() == 0 && seen_.spec.replicas > 0) {
      result_.steps.push_back(Scale(version, seen_.spec.replicas, kScaleRestore));
    }
  }

  void RemoveAutoscaler(const Version& version) {
    result_.steps.push_back(plan::Delete{kube::kAutoscalers, version.autoscaler->key(), version.autoscaler->uid()});
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
        seen_.spec.restate.drain_delay_seconds.value_or(crd::kDefaultDrainDelaySeconds), 0, kLongestDelaySeconds);
    // Whole seconds, as people write them, and never before the delay is over.
    const absl::Time at = absl::FromUnixSeconds(absl::ToUnixSeconds(seen_.now) + delay + 1);
    const std::string text = TimeText(at);
    result_.steps.push_back(Annotate(version, json::Obj({{kRemoveVersionAtAnnotation, text}}), kRemoveVersion));
    result_.steps.push_back(
        Announce(seen_, "VersionDrained",
                 absl::StrCat("Version ", version.name(), " has no unfinished invocations; it is removed at ", text)));
    return at;
  }

  void Remove(const Version& version, const Registered& registered) {
    if (version.object->deleting()) return Deregister(registered);  // somebody deleted it; finalizers hold it
    if (version.autoscaler) {                                       // it would bring the pods back
      result_.removes = true;
      RemoveAutoscaler(version);
    }
    if (!version.is_knative() && version.replicas() > 0) {
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
    plan::Delete removal{version.resource, version.object->key(), version.object->uid()};
    // Its name is not free before its Route and Revisions are gone.
    if (version.is_knative()) removal.propagation = "Foreground";
    result_.steps.push_back(std::move(removal));
    result_.steps.push_back(
        Announce(seen_, "VersionRemoved", absl::StrCat("Version ", version.name(), " was removed")));
  }

  void Deregister(const Registered& registered) {
    if (!registered.use || !registered.ours) return;
    result_.removes = true;
    result_.steps.push_back(plan::Forget{*registered.endpoint, registered.id});
  }

  const Observed& seen_;
  Retirement result_;
  std::int32_t retained_ = 0;
};

}  // namespace

std::int64_t Registered::pinned() const { return use ? std::max(use->PinnedTotal(), use->attempts) : 0; }

Registered FindRegistered(const Observed& seen, const Version& version) {
  Registered found;
  if (seen.usage.look) found = FindIn(seen, *seen.usage.look, version);
  if (seen.endpoint.ok()) found.endpoint = &*seen.endpoint;
  // A Restate that knows the id is the one that gave it: another address was another name of it.
  const bool same = found.use && found.id == version.deployment_id;
  if (same || InUse(seen, found)) return found;
  for (const admin::Endpoint& endpoint : version.elsewhere) {
    const auto asked = seen.elsewhere.find(endpoint);
    if (asked == seen.elsewhere.end()) continue;
    Registered there = asked->second.look ? FindIn(seen, *asked->second.look, version) : Registered();
    there.endpoint = &asked->first;
    there.elsewhere = true;
    if (!asked->second.look) there.unanswered = &asked->second;
    if (InUse(seen, there)) return there;
    if (there.unanswered || (!found.use && !found.unanswered)) found = there;
  }
  return found;
}

// A version that is to be deleted anyway may be the latest; otherwise being latest keeps it.
bool InUse(const Observed& seen, const Registered& registered) {
  if (!registered.use) return false;
  if (registered.use->InUse()) return true;
  return seen.deleting() || registered.elsewhere ? registered.use->unpinned > 0 : registered.use->latest;
}

Retirement Retire(const Observed& seen, bool blind) {
  if (seen.needs_look && !seen.usage.look && !blind) return {};
  return Retirer(seen).Run();
}

Retirement RetireLeftovers(const Observed& seen) {
  Retirement result;
  if (!seen.usage.look) return result;
  for (const auto& [id, use] : seen.usage.look->deployments) {
    const bool exists = std::any_of(seen.versions.begin(), seen.versions.end(),
                                    [&, &uri = use.uri](const Version& version) { return seen.IsUriOf(version, uri); });
    if (exists || !seen.IsOurs(id, use.uri)) continue;
    const Registered registered{id, &use, true, &*seen.endpoint};
    if (InUse(seen, registered)) {
      auto& list = seen.mode() == Mode::kForce ? result.abandoned : result.blockers;
      list.push_back(BlockerOf(use.uri, registered));
      if (seen.mode() != Mode::kForce) continue;
    }
    result.removes = true;
    result.steps.push_back(plan::Forget{*seen.endpoint, id});
  }
  return result;
}

std::string ListOf(const std::vector<Blocker>& blockers) {
  return absl::StrJoin(blockers, ", ", [](std::string* out, const Blocker& b) {
    absl::StrAppend(out, b.version, " (", b.pinned, " pinned, ", b.unpinned, " unpinned invocations)");
  });
}

void DeploymentPlan::Add(const Retirement& retirement, const Observed& seen) {
  if (!retirement.steps.empty()) again = true;  // the status tells what they changed
  steps.insert(steps.end(), retirement.steps.begin(), retirement.steps.end());
  blockers.insert(blockers.end(), retirement.blockers.begin(), retirement.blockers.end());
  if (retirement.removes && seen.usage.look) {
    Clock::TimePoint oldest = seen.usage.answered;
    for (const auto& [endpoint, answer] : seen.elsewhere) {
      if (answer.look) oldest = std::min(oldest, answer.answered);
    }
    expires = oldest + kFreshLook;
  }
}

}  // namespace restate::deployment

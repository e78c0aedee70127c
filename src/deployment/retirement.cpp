#include "restate/deployment/retirement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/deployment/announce.h"
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
  if (const auto* use = seen.UseOf(version.deployment_id)) return {version.deployment_id, use, IsUriOf(version, use->uri)};
  for (const auto& [id, use] : seen.usage.look->deployments) {
    if (IsUriOf(version, use.uri)) return {id, &use, true};
  }
  return {};
}

class Retirer {
 public:
  explicit Retirer(const Observed& seen) : seen_(seen) {}

  Retirement Run() {
    if (seen_.needs_look && !seen_.usage.look) {
      result_.complete = false;
      return std::move(result_);
    }
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
      result_.complete = false;
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
    result_.complete = false;
    result_.blockers.push_back({version.name(), registered.id, std::max(registered.use->PinnedTotal(), registered.use->attempts),
                                registered.use->unpinned});
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
    absl::Time at;
    std::string unused;
    const std::string scheduled(version.Annotation(kRemoveVersionAtAnnotation));
    if (!absl::ParseTime(absl::RFC3339_full, scheduled, &at, &unused)) {
      at = Schedule(version);
    }
    if (at <= seen_.now) return std::nullopt;
    return at - seen_.now;
  }

  absl::Time Schedule(const Version& version) {
    const std::int64_t delay = std::clamp<std::int64_t>(
        seen_.spec.restate.drain_delay_seconds.value_or(crd::kDefaultDrainDelaySeconds), 0, kLongestDelay);
    const absl::Time at = seen_.now + absl::Seconds(delay);
    const std::string text = absl::FormatTime("%Y-%m-%d%ET%H:%M:%S+00:00", at, absl::UTCTimeZone());
    result_.steps.push_back(Annotate(version, json::Obj({{kRemoveVersionAtAnnotation, text}}), kRemoveVersion));
    result_.steps.push_back(Announce(seen_, "VersionDrained",
                                     absl::StrCat("Version ", version.name(), " has no unfinished invocations; it is removed at ", text)));
    // Below a second the written date is already past.
    return absl::FromUnixSeconds(absl::ToUnixSeconds(at));
  }

  void Remove(const Version& version, const Registered& registered) {
    if (version.replicas() > 0) {
      result_.steps.push_back(Scale(version, 0, kScaleDown));
      result_.steps.push_back(Announce(seen_, "VersionScaledDown", absl::StrCat("Version ", version.name(), " was scaled to zero")));
    }
    if (!seen_.deleting() && retained_ < seen_.spec.revision_history_limit) {
      ++retained_;
      return;
    }
    if (registered.use && registered.ours && !registered.use->uri.empty()) {
      result_.steps.push_back(plan::Forget{*seen_.endpoint, registered.id});
    }
    result_.steps.push_back(plan::Delete{kube::kReplicaSets, version.object->key(), version.object->uid()});
    result_.steps.push_back(Announce(seen_, "VersionRemoved", absl::StrCat("Version ", version.name(), " was removed")));
  }

  const Observed& seen_;
  Retirement result_;
  std::int32_t retained_ = 0;
};

}  // namespace

Retirement Retire(const Observed& seen) { return Retirer(seen).Run(); }

}  // namespace restate::deployment

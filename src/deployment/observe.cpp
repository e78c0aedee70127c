#include <algorithm>
#include <cstdint>
#include <set>

#include "absl/strings/str_cat.h"
#include "restate/deployment/gates.h"
#include "restate/deployment/observed.h"
#include "restate/deployment/spec_check.h"
#include "restate/deployment/version.h"
#include "restate/schema/codec.h"

namespace restate::deployment {
namespace {

// Of a look that only confirms that all is as it was.
constexpr Clock::Duration kSteadyLook = std::chrono::minutes(5);

void Decode(Observed& seen) {
  const json::Value* spec = seen.body.Find("spec");
  auto decoded = schema::Decode<crd::RestateDeploymentSpec>(spec ? *spec : json::Value(), "spec");
  seen.decoded = decoded.status();
  if (decoded.ok()) seen.spec = *std::move(decoded);
  const json::Value* status = seen.body.Find("status");
  if (!status) return;
  if (auto old = schema::Decode<crd::RestateDeploymentStatus>(*status, "status"); old.ok()) {
    seen.status = *std::move(old);
  } else if (const auto collisions = status->IntAt({"collisionCount"}); collisions > 0) {
    // A status that somebody bent out of shape is written anew; but what is part of the version's name stays.
    seen.status.emplace().collision_count = static_cast<std::int32_t>(std::min<std::int64_t>(collisions, INT32_MAX));
  }
}

void NameWantedVersion(Observed& seen) {
  seen.template_text = PodTemplateText(seen.spec.pod_template);
  seen.hash = VersionHash(seen.spec, seen.template_text, seen.status ? seen.status->collision_count : std::nullopt);
  seen.name = absl::StrCat(seen.object->key().name, "-", seen.hash);
}

Version MakeVersion(const Observed& seen, const kube::ObjectPtr& object, const runtime::Cache& cache) {
  Version version{object, object->Body(), nullptr, nullptr, {}};
  version.deployment_id = version.Annotation(kDeploymentIdAnnotation);
  version.service = cache.Get(kube::kServices, object->key());
  const auto autoscaler = cache.Get(kube::kAutoscalers, object->key());
  if (autoscaler && autoscaler->owner_uid() == seen.object->uid()) version.autoscaler = autoscaler;
  return version;
}

void GatherVersions(Observed& seen, const runtime::Cache& cache) {
  for (const auto& object : cache.OwnedBy(kube::kReplicaSets, seen.object->uid())) {
    if (object->key().ns == seen.object->key().ns) seen.versions.push_back(MakeVersion(seen, object, cache));
  }
  const auto created = [](const Version& v) { return v.body.StringAt({"metadata", "creationTimestamp"}); };
  // Times have whole seconds: the name breaks ties, so that the order is the same in every pass.
  std::sort(seen.versions.begin(), seen.versions.end(), [&](const Version& a, const Version& b) {
    return std::pair(created(a), std::string_view(a.name())) > std::pair(created(b), std::string_view(b.name()));
  });
  const kube::Key wanted{seen.object->key().ns, seen.name};
  seen.name_holder = cache.Get(kube::kReplicaSets, wanted);
  seen.service_holder = cache.Get(kube::kServices, wanted);
}

// Where a version was registered before spec.restate.register changed: the status says it; where it does not yet
// (another operator wrote it), the label that lets a cluster in. A cluster that is gone has taken its work with it.
std::vector<admin::Endpoint> RegisteredElsewhere(const Observed& seen, const Version& version,
                                                 const runtime::Cache& cache) {
  std::set<admin::Endpoint> found;
  const crd::VersionStatus* told = seen.ToldOf(version.name());
  const bool is_told = told && told->registered_at;
  if (is_told) {
    for (const std::string& url : *told->registered_at) {
      if (auto endpoint = admin::EndpointOfUrl(url, seen.config.allow_loopback); endpoint.ok()) found.insert(*endpoint);
    }
  }
  for (const auto& [label, unused] : json::ToMap(version.body.FindPath({"metadata", "labels"}))) {
    if (!label.starts_with(kAllowLabel) || !cache.Synced(kRestateClusters)) continue;
    const std::string cluster = label.substr(kAllowLabel.size());
    const auto endpoint = admin::EndpointOfCluster(cluster, seen.config.cluster_dns);
    if (!endpoint.ok()) continue;
    if (!cache.Get(kRestateClusters, {"", cluster})) {
      found.erase(*endpoint);
    } else if (!is_told && !version.deployment_id.empty()) {
      found.insert(*endpoint);
    }
  }
  if (seen.endpoint.ok()) found.erase(*seen.endpoint);
  return {found.begin(), found.end()};
}

ClusterState StateOfCluster(const Observed& seen, const runtime::Cache& cache) {
  const auto& name = seen.spec.restate.target.cluster;
  if (!seen.decoded.ok() || !name) return ClusterState::kNotAsked;
  if (!cache.Synced(kRestateClusters)) return ClusterState::kNotSynced;
  const auto cluster = cache.Get(kRestateClusters, {"", *name});
  if (!cluster) return ClusterState::kMissing;
  return IsReady(*cluster) ? ClusterState::kReady : ClusterState::kNotReady;
}

// A version without a recorded id may still be registered: the process may have ended between the two, or Restate's
// answer got lost. It is not without its Service, which comes first.
bool MayBeRegistered(const Version& version) { return !version.deployment_id.empty() || version.service; }

// About to be registered: it may be already (see above), and whoever waits for a look is woken when Restate is back.
bool IsToBeRegistered(const Observed& seen, const Version& current) {
  return current.deployment_id.empty() && MayBeRegistered(current) && !ReplicaSetNotReady(seen, current);
}

// Those whose work is to end.
std::vector<std::string> IdsOf(const Observed& seen, const Version* current) {
  std::vector<std::string> ids;
  for (const Version& version : seen.versions) {
    if (&version != current && !version.deployment_id.empty()) ids.push_back(version.deployment_id);
  }
  return ids;
}

// How old a look may be that removals rest on. When one is due, it must have come after the date: a version leaves
// after two looks, drainDelaySeconds apart at least, that found nothing. One look alone is no snapshot (an invocation
// may move between its tables).
Clock::Duration AgeForRemovals(const Observed& seen, const Version* current) {
  Clock::Duration age = kFreshLook;
  for (const Version& version : seen.versions) {
    const auto at = version.RemovalTime();
    if (&version == current || !at || *at > seen.now) continue;
    age = std::min<Clock::Duration>(age, absl::ToChronoNanoseconds(seen.now - *at));
  }
  return age;
}

}  // namespace

bool IsReady(const kube::Object& object) {
  const json::Value body = object.Body();
  const json::Value* conditions = body.FindPath({"status", "conditions"});
  if (!conditions || !conditions->array()) return false;
  return std::any_of(conditions->array()->begin(), conditions->array()->end(), [](const json::Value& condition) {
    return condition.StringAt({"type"}) == "Ready" && condition.StringAt({"status"}) == "True";
  });
}

const crd::VersionStatus* Observed::ToldOf(std::string_view version) const {
  if (!status || !status->versions) return nullptr;
  for (const crd::VersionStatus& told : *status->versions) {
    if (told.name == version) return &told;
  }
  return nullptr;
}

const Version* Observed::Current() const {
  for (const Version& version : versions) {
    if (version.name() == name && version.Annotation(kPodTemplateAnnotation) == template_text) return &version;
  }
  return nullptr;
}

std::optional<absl::Time> Version::RemovalTime() const {
  absl::Time at;
  std::string unused;
  if (!absl::ParseTime(absl::RFC3339_full, std::string(Annotation(kRemoveVersionAtAnnotation)), &at, &unused))
    return std::nullopt;
  return at;
}

bool Observed::suspended() const {
  return !deleting() && body.StringAt({"metadata", "annotations", kReconcileAnnotation}) == "disabled";
}

Mode Observed::mode() const {
  if (!deleting()) return Mode::kRollout;
  if (spec.restate.delete_policy == crd::DeletePolicy::kForce) return Mode::kForce;
  const auto& drain = spec.restate.drain;
  const bool ends = drain && drain->on_timeout == crd::OnTimeout::kForce && deletion_deadline() <= now;
  return ends ? Mode::kForce : Mode::kDrain;
}

absl::Time Observed::deletion_requested() const {
  absl::Time at = now;
  std::string unused;
  absl::ParseTime(absl::RFC3339_full, std::string(body.StringAt({"metadata", "deletionTimestamp"})), &at, &unused);
  return at;
}

absl::Time Observed::deletion_deadline() const {
  const auto& drain = spec.restate.drain;
  const auto seconds = drain && drain->timeout_seconds ? *drain->timeout_seconds : crd::kDefaultDrainTimeoutSeconds;
  return deletion_requested() + absl::Seconds(std::clamp<std::int64_t>(seconds, 0, kLongestDelaySeconds));
}

// http://<name>-<hash>.<namespace>.svc.<domain>: a hash is made of the ten characters below and has no dash, so no
// other object's versions are called so.
bool Observed::IsOurUri(std::string_view uri) const {
  const std::string before = absl::StrCat("http://", object->key().name, "-");
  const std::string after = absl::StrCat(".", object->key().ns, ".svc.");
  if (!uri.starts_with(before)) return false;
  uri.remove_prefix(before.size());
  const auto end = uri.find_first_not_of(kHashDigits);
  return end != 0 && end != std::string_view::npos && uri.substr(end).starts_with(after);
}

const admin::DeploymentUse* Observed::UseOf(std::string_view deployment_id) const {
  if (!usage.look) return nullptr;
  const auto it = usage.look->deployments.find(std::string(deployment_id));
  return it == usage.look->deployments.end() ? nullptr : &it->second;
}

std::optional<Observed> Gather(const kube::Key& key, const runtime::Cache& cache, const plan::Config& config,
                               absl::Time now) {
  Observed seen;
  seen.object = cache.Get(kRestateDeployments, key);
  if (!seen.object) return std::nullopt;
  seen.body = seen.object->Body();
  seen.config = config;
  seen.now = now;
  Decode(seen);
  NameWantedVersion(seen);
  GatherVersions(seen, cache);
  seen.endpoint = EndpointOf(seen);
  seen.cluster = StateOfCluster(seen, cache);
  for (Version& version : seen.versions) version.elsewhere = RegisteredElsewhere(seen, version, cache);
  return seen;
}

std::optional<admin::Wanted> LookNeeded(const Observed& seen) {
  if (seen.suspended()) return std::nullopt;
  const Version* current = seen.deleting() ? nullptr : seen.Current();
  const bool others = std::any_of(seen.versions.begin(), seen.versions.end(),
                                  [&](const Version& v) { return &v != current && MayBeRegistered(v); });
  if (seen.deleting()) {
    // Where a namespace is deleted, the versions go before the object: what they left in Restate is to go as well.
    if (!others && !(seen.status && seen.status->deployment_id)) return std::nullopt;
    return admin::Wanted{
        .max_age = AgeForRemovals(seen, current), .count_unpinned = true, .watched = IdsOf(seen, current)};
  }
  const bool routes = current && (!current->deployment_id.empty() || IsToBeRegistered(seen, *current));
  if (!others && !routes) return std::nullopt;
  const bool retiring = std::any_of(seen.versions.begin(), seen.versions.end(),
                                    [&](const Version& v) { return &v != current && v.replicas() > 0; });
  const bool surplus = seen.versions.size() > static_cast<std::size_t>(seen.spec.revision_history_limit) + 1;
  return admin::Wanted{.max_age = retiring || surplus ? AgeForRemovals(seen, current) : kSteadyLook,
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
  auto seen = Gather(key, world.cache, world.config, world.clock.WallTime());
  if (!seen) return std::nullopt;
  const auto wanted = LookNeeded(*seen);
  seen->needs_look = wanted.has_value();
  const bool there = seen->cluster != ClusterState::kMissing && seen->cluster != ClusterState::kNotSynced;
  if (wanted && there && seen->endpoint.ok()) seen->usage = world.usage.Ask(*seen->endpoint, key, *wanted);
  if (!wanted) return seen;
  for (const auto& [endpoint, look] : LooksElsewhere(*seen)) {
    seen->elsewhere[endpoint] = world.usage.Ask(endpoint, key, look);
  }
  return seen;
}

}  // namespace restate::deployment

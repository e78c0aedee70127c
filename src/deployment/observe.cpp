#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/deployment/observed.h"
#include "restate/deployment/spec_check.h"
#include "restate/deployment/version.h"
#include "restate/schema/codec.h"

namespace restate::deployment {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// A look that a removal may rest on (guarantees S2), and one that only confirms that all is as it was.
constexpr Clock::Duration kFreshLook = seconds(10);
constexpr Clock::Duration kSteadyLook = minutes(5);

void Decode(Observed& seen) {
  const json::Value* spec = seen.body.Find("spec");
  auto decoded = schema::Decode<crd::RestateDeploymentSpec>(spec ? *spec : json::Value(), "spec");
  seen.decoded = decoded.status();
  if (decoded.ok()) seen.spec = *std::move(decoded);
  // A status that somebody bent out of shape counts as none: it is written anew.
  if (const json::Value* status = seen.body.Find("status")) {
    if (auto old = schema::Decode<crd::RestateDeploymentStatus>(*status, "status"); old.ok()) seen.status = *std::move(old);
  }
}

void NameWantedVersion(Observed& seen) {
  seen.template_text = PodTemplateText(seen.spec.pod_template);
  seen.hash = VersionHash(seen.spec, seen.template_text, seen.status ? seen.status->collision_count : std::nullopt);
  seen.name = absl::StrCat(seen.object->key().name, "-", seen.hash);
}

Version MakeVersion(const kube::ObjectPtr& object, const plan::World& world) {
  Version version{object, object->Body(), nullptr, {}};
  version.deployment_id = version.Annotation(kDeploymentIdAnnotation);
  version.service = world.cache.Get(kube::kServices, object->key());
  return version;
}

void GatherVersions(Observed& seen, const plan::World& world) {
  for (const auto& object : world.cache.OwnedBy(kube::kReplicaSets, seen.object->uid())) {
    if (object->key().ns == seen.object->key().ns) seen.versions.push_back(MakeVersion(object, world));
  }
  const auto created = [](const Version& v) { return v.body.StringAt({"metadata", "creationTimestamp"}); };
  // Times have whole seconds: the name breaks ties, so that the order is the same in every pass.
  std::sort(seen.versions.begin(), seen.versions.end(), [&](const Version& a, const Version& b) {
    return std::pair(created(a), std::string_view(a.name())) > std::pair(created(b), std::string_view(b.name()));
  });
  const kube::Key wanted{seen.object->key().ns, seen.name};
  seen.name_holder = world.cache.Get(kube::kReplicaSets, wanted);
  seen.service_holder = world.cache.Get(kube::kServices, wanted);
}

// A version without a recorded id may still be registered: the process may have ended between the two. It is not when its
// pods never were ready, because Restate asks them for their services first.
bool MayBeRegistered(const Version& version) {
  return !version.deployment_id.empty() || version.body.IntAt({"status", "readyReplicas"}) > 0;
}

// nullopt: this pass can decide without looking into Restate.
std::optional<admin::Wanted> LookNeeded(const Observed& seen) {
  const Version* current = seen.deleting() ? nullptr : seen.Current();
  const bool others = std::any_of(seen.versions.begin(), seen.versions.end(),
                                  [&](const Version& v) { return &v != current && MayBeRegistered(v); });
  if (seen.deleting()) return others ? std::optional(admin::Wanted{.max_age = kFreshLook, .count_unpinned = true}) : std::nullopt;
  if (!others && (!current || current->deployment_id.empty())) return std::nullopt;
  const bool retiring = std::any_of(seen.versions.begin(), seen.versions.end(), [&](const Version& v) {
    return &v != current && v.replicas() > 0;
  });
  const bool surplus = seen.versions.size() > static_cast<std::size_t>(seen.spec.revision_history_limit) + 1;
  return admin::Wanted{.max_age = retiring || surplus ? kFreshLook : kSteadyLook};
}

}  // namespace

const Version* Observed::Current() const {
  for (const Version& version : versions) {
    if (version.name() == name && version.Annotation(kPodTemplateAnnotation) == template_text) return &version;
  }
  return nullptr;
}

const admin::DeploymentUse* Observed::UseOf(std::string_view deployment_id) const {
  if (!usage.look) return nullptr;
  const auto it = usage.look->deployments.find(std::string(deployment_id));
  return it == usage.look->deployments.end() ? nullptr : &it->second;
}

std::optional<Observed> Observe(const kube::Key& key, const plan::World& world) {
  Observed seen;
  seen.object = world.cache.Get(kRestateDeployments, key);
  if (!seen.object) return std::nullopt;
  seen.body = seen.object->Body();
  seen.config = world.config;
  seen.now = world.clock.WallTime();
  Decode(seen);
  NameWantedVersion(seen);
  GatherVersions(seen, world);
  seen.endpoint = EndpointOf(seen);
  const auto wanted = LookNeeded(seen);
  seen.needs_look = wanted.has_value();
  if (wanted && seen.endpoint.ok()) seen.usage = world.usage.Ask(*seen.endpoint, key, *wanted);
  return seen;
}

}  // namespace restate::deployment

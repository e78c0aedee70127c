#include <algorithm>
#include <cstdint>
#include <set>

#include "absl/strings/str_cat.h"
#include "restate/deployment/observed.h"
#include "restate/deployment/spec_check.h"
#include "restate/deployment/version.h"
#include "restate/plan/verdict.h"
#include "restate/schema/codec.h"

namespace restate::deployment {
namespace {

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
  seen.hash = VersionHash(seen.spec, seen.template_text, seen.status ? seen.status->collision_count : std::nullopt,
                          TunnelsInProcess(seen.spec) ? seen.environment() : nullptr);
  seen.tag = seen.tagged() ? *seen.spec.knative->tag : seen.hash;
  seen.name = absl::StrCat(seen.object->key().name, "-", seen.tag);
}

const kube::Resource& FrontOf(const kube::Resource& resource) {
  return resource == kConfigurations ? kRoutes : kube::kServices;
}

Version MakeVersion(const Observed& seen, const kube::Resource& resource, const kube::ObjectPtr& object,
                    const runtime::Cache& cache) {
  Version version{.resource = resource, .object = object, .body = object->Body()};
  version.deployment_id = version.Annotation(kDeploymentIdAnnotation);
  version.front = cache.Get(FrontOf(resource), object->key());
  if (version.is_knative()) {
    const std::string revision(version.body.StringAt({"status", "latestCreatedRevisionName"}));
    version.revision = cache.Get(kRevisions, {object->key().ns, revision});
    return version;
  }
  const auto autoscaler = cache.Get(kube::kAutoscalers, object->key());
  if (autoscaler && autoscaler->owner_uid() == seen.object->uid()) version.autoscaler = autoscaler;
  return version;
}

KnativeState StateOfKnative(const runtime::Cache& cache) {
  const auto listed = [&](const kube::Resource& resource) { return cache.Synced(resource); };
  if (listed(kConfigurations) && listed(kRoutes) && listed(kRevisions)) return KnativeState::kServed;
  const kube::Key definition{"", kube::DefinitionOf(kConfigurations)};
  const bool known = listed(kube::kCustomResourceDefinitions);
  return known && !cache.Get(kube::kCustomResourceDefinitions, definition) ? KnativeState::kAbsent
                                                                           : KnativeState::kUnknown;
}

void GatherVersionsOf(Observed& seen, const kube::Resource& resource, const runtime::Cache& cache) {
  for (const auto& object : cache.OwnedBy(resource, seen.object->uid())) {
    if (object->key().ns == seen.object->key().ns) seen.versions.push_back(MakeVersion(seen, resource, object, cache));
  }
}

// Of both modes: where somebody changed the mode all the same, the old versions leave as they always do.
void GatherVersions(Observed& seen, const runtime::Cache& cache) {
  GatherVersionsOf(seen, kube::kReplicaSets, cache);
  // What was known of an API that is gone may still lie in the cache.
  if (seen.knative == KnativeState::kServed) GatherVersionsOf(seen, kConfigurations, cache);
  const auto created = [](const Version& v) { return v.body.StringAt({"metadata", "creationTimestamp"}); };
  // Times have whole seconds: the name breaks ties, so that the order is the same in every pass.
  std::sort(seen.versions.begin(), seen.versions.end(), [&](const Version& a, const Version& b) {
    return std::pair(created(a), std::string_view(a.name())) > std::pair(created(b), std::string_view(b.name()));
  });
  const kube::Key wanted{seen.object->key().ns, seen.name};
  const kube::Resource& resource = seen.in_knative_mode() ? kConfigurations : kube::kReplicaSets;
  seen.name_holder = cache.Get(resource, wanted);
  seen.front_holder = cache.Get(FrontOf(resource), wanted);
}

// An endpoint that the status tells of is told without its token. Without one it refuses to answer, and that is no
// leave to remove anything.
admin::Endpoint WithToken(admin::Endpoint endpoint, const Observed& seen, const runtime::Cache& cache,
                          const ReadSecret& read_secret) {
  for (const Cloud& cloud : seen.clouds) {
    if (!cloud.environment.ok() || admin::EndpointOfCloud(*cloud.environment, "") != endpoint) continue;
    auto with_token = EndpointOf(cloud, cache, seen.config, read_secret);
    if (with_token.ok()) return *std::move(with_token);
  }
  return endpoint;
}

// The admin API that spec.restate.register names.
absl::StatusOr<admin::Endpoint> WantedEndpoint(const Observed& seen, const runtime::Cache& cache,
                                               const ReadSecret& read_secret) {
  if (!seen.cloud) return EndpointOf(seen);
  if (!seen.cloud->ok()) return seen.cloud->status();
  return EndpointOf(**seen.cloud, cache, seen.config, read_secret);
}

// Where a version was registered before spec.restate.register changed: the status says it; where it does not yet
// (another operator wrote it), the label that lets a cluster in. A cluster that is gone has taken its work with it.
std::vector<admin::Endpoint> RegisteredElsewhere(const Observed& seen, const Version& version,
                                                 const runtime::Cache& cache, const ReadSecret& read_secret) {
  if (version.deployment_id.empty()) return {};  // somebody says that it has no work anywhere
  std::set<admin::Endpoint> found;
  const crd::VersionStatus* told = seen.ToldOf(version.name());
  const bool is_told = told && told->registered_at;
  if (is_told) {
    for (const std::string& url : *told->registered_at) {
      auto endpoint = admin::EndpointOfUrl(url, seen.config.allow_loopback);
      if (endpoint.ok()) found.insert(WithToken(*std::move(endpoint), seen, cache, read_secret));
    }
  }
  for (const auto& [label, unused] : json::ToMap(version.body.FindPath({"metadata", "labels"}))) {
    if (!label.starts_with(kAllowLabel) || !cache.Synced(kRestateClusters)) continue;
    const std::string cluster = label.substr(kAllowLabel.size());
    const auto endpoint = admin::EndpointOfCluster(cluster, seen.config.cluster_dns);
    if (!endpoint.ok()) continue;
    if (!cache.Get(kRestateClusters, {"", cluster})) {
      found.erase(*endpoint);
    } else if (!is_told) {
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
  return plan::IsReady(*cluster) ? ClusterState::kReady : ClusterState::kNotReady;
}

}  // namespace

std::optional<Observed> Gather(const kube::Key& key, const runtime::Cache& cache, const plan::Config& config,
                               absl::Time now, const ReadSecret& read_secret) {
  Observed seen;
  seen.object = cache.Get(kRestateDeployments, key);
  if (!seen.object) return std::nullopt;
  seen.body = seen.object->Body();
  seen.config = config;
  seen.now = now;
  Decode(seen);
  seen.clouds = CloudsIn(cache);
  if (const auto& cloud = seen.spec.restate.target.cloud) {
    seen.cloud = FindCloud(seen.clouds, *cloud, cache.Synced(kRestateCloudEnvironments));
  }
  NameWantedVersion(seen);
  seen.knative = StateOfKnative(cache);
  GatherVersions(seen, cache);
  seen.endpoint = WantedEndpoint(seen, cache, read_secret);
  seen.cluster = StateOfCluster(seen, cache);
  for (Version& version : seen.versions) version.elsewhere = RegisteredElsewhere(seen, version, cache, read_secret);
  return seen;
}

}  // namespace restate::deployment

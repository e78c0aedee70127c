#include "restate/deployment/version_status.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/deployment/retirement.h"

namespace restate::deployment {
namespace {

using crd::VersionPhase;

std::vector<std::string> ImagesOf(const Version& version) {
  std::vector<std::string> images;
  const json::Value* containers = version.body.FindPath({"spec", "template", "spec", "containers"});
  if (!containers || !containers->array()) return images;
  for (const json::Value& container : *containers->array()) {
    if (images.size() < crd::kImagesShown) images.emplace_back(container.StringAt({"image"}));
  }
  return images;
}

// The wanted Restate, once the version is registered there, and those before it.
std::vector<std::string> RegistrationsOf(const Observed& seen, const Version& version) {
  std::vector<std::string> urls;
  if (seen.endpoint.ok() && !version.deployment_id.empty()) urls.push_back(seen.endpoint->ToString());
  for (const admin::Endpoint& endpoint : version.elsewhere) {
    if (urls.size() < crd::kRegistrationsShown) urls.push_back(endpoint.ToString());
  }
  return urls;
}

VersionPhase PhaseOf(const Observed& seen, const Version& version, const Registered& registered) {
  if (version.object->deleting() || seen.mode() == Mode::kForce) return VersionPhase::kRemoving;
  return registered.unanswered || InUse(seen, registered) ? VersionPhase::kDraining : VersionPhase::kDrained;
}

std::optional<std::map<std::string, std::int64_t>> CountsOf(const admin::DeploymentUse& use) {
  std::map<std::string, std::int64_t> counts = use.pinned;
  if (counts.empty() && use.attempts > 0) counts["attempting"] = use.attempts;
  if (use.unpinned > 0) counts["unpinned"] = use.unpinned;
  if (counts.empty()) return std::nullopt;
  return counts;
}

crd::VersionStatus StatusOf(const Observed& seen, const Version& version, const Version* current) {
  crd::VersionStatus status;
  status.name = version.name();
  if (!version.deployment_id.empty()) status.deployment_id = version.deployment_id;
  if (auto images = ImagesOf(version); !images.empty()) status.images = std::move(images);
  status.replicas = static_cast<std::int32_t>(version.replicas());
  if (auto urls = RegistrationsOf(seen, version); !urls.empty()) status.registered_at = std::move(urls);
  if (&version == current) return status;  // its work comes and goes, and nothing waits for its end
  status.removed_at = version.RemovalTime();
  if (seen.needs_look && !seen.usage.look) {
    const crd::VersionStatus* told = seen.ToldOf(version.name());
    const bool tells = told && told->phase != VersionPhase::kCurrent;
    status.phase = tells ? told->phase : VersionPhase::kDraining;
    if (tells) status.invocations = told->invocations;
    if (tells) status.oldest_invocation = told->oldest_invocation;
    return status;
  }
  const Registered registered = FindRegistered(seen, version);
  status.phase = PhaseOf(seen, version, registered);
  if (registered.unanswered) {
    status.message = absl::StrCat(
        "waiting for the answer of ", registered.endpoint->ToString(),
        ", where it was registered before. If that Restate is gone for good, remove the annotation ",
        std::string(kDeploymentIdAnnotation), " from ", std::string(version.resource.kind), " ", version.name());
  }
  if (!registered.use) return status;
  if (!status.deployment_id) status.deployment_id = registered.id;
  status.invocations = CountsOf(*registered.use);
  status.oldest_invocation = registered.use->oldest;
  return status;
}

}  // namespace

std::vector<crd::VersionStatus> VersionStatuses(const Observed& seen) {
  const Version* current = seen.deleting() ? nullptr : seen.Current();
  std::vector<crd::VersionStatus> statuses;
  if (current) statuses.push_back(StatusOf(seen, *current, current));
  for (const Version& version : seen.versions) {
    if (statuses.size() < crd::kVersionsShown && &version != current)
      statuses.push_back(StatusOf(seen, version, current));
  }
  return statuses;
}

VersionCounts CountVersions(const json::Value& object) {
  VersionCounts counts;
  const json::Value* versions = object.FindPath({"status", "versions"});
  if (!versions || !versions->array()) return counts;
  for (const json::Value& version : *versions->array()) {
    ++counts.by_phase[std::string(version.StringAt({"phase"}))];
    const json::Value* invocations = version.Find("invocations");
    if (!invocations || !invocations->object()) continue;
    for (const auto& [status, unused] : *invocations->object()) counts.invocations += invocations->IntAt({status});
  }
  return counts;
}

}  // namespace restate::deployment

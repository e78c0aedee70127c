#include "restate/deployment/observed.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "restate/deployment/version.h"
#include "restate/plan/suspension.h"

namespace restate::deployment {

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

std::string Version::tunnel() const {
  const json::Value* pod_spec = body.FindPath({"spec", "template", "spec"});
  return pod_spec ? std::string(TunnelOf(*pod_spec)) : "";
}

std::optional<absl::Time> Version::RemovalTime() const {
  absl::Time at;
  std::string unused;
  if (!absl::ParseTime(absl::RFC3339_full, std::string(Annotation(kRemoveVersionAtAnnotation)), &at, &unused))
    return std::nullopt;
  return at;
}

bool Observed::suspended() const { return plan::IsSuspended(*object, body); }

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

const admin::CloudEnvironment* Observed::environment() const {
  return cloud && cloud->ok() && (*cloud)->environment.ok() ? &*(*cloud)->environment : nullptr;
}

bool Observed::IsUriOf(const Version& version, std::string_view uri) const {
  if (const std::string tunnel = version.tunnel(); !tunnel.empty()) {
    return std::any_of(clouds.begin(), clouds.end(), [&](const Cloud& each) {
      return each.environment.ok() && admin::UriBehindTunnel(*each.environment, tunnel, uri);
    });
  }
  return BehindTunnel(clouds, uri)
      .starts_with(absl::StrCat("http://", version.name(), ".", version.object->key().ns, ".svc."));
}

// http://<name>-<hash>.<namespace>.svc.<domain>: a hash is made of the ten characters below and has no dash, so no
// other object's versions are called so. The name of a tunnel that pods open themselves has no namespace, and tells
// nothing.
bool Observed::IsOurUri(std::string_view registered) const {
  const std::string plain = BehindTunnel(clouds, registered);
  std::string_view uri = plain;
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

}  // namespace restate::deployment

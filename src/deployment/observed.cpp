#include "restate/deployment/observed.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "restate/deployment/version.h"
#include "restate/plan/suspension.h"

namespace restate::deployment {
namespace {

// What follows the scheme of a version's uri: http; of a Route's, where Knative has certificates, https too. Empty: the
// uri has another one.
std::string HostAt(const std::string& uri, bool of_route) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (uri.starts_with(scheme) && (of_route || scheme == "http://")) return uri.substr(scheme.size());
  }
  return "";
}

}  // namespace

const crd::VersionStatus* Observed::ToldOf(std::string_view version) const {
  if (!status || !status->versions) return nullptr;
  for (const crd::VersionStatus& told : *status->versions) {
    if (told.name == version) return &told;
  }
  return nullptr;
}

const Version* Observed::Current() const {
  const kube::Resource& resource = in_knative_mode() ? kConfigurations : kube::kReplicaSets;
  for (const Version& version : versions) {
    if (version.resource != resource || version.name() != name) continue;
    if (tagged() || version.Annotation(kPodTemplateAnnotation) == template_text) return &version;
  }
  return nullptr;
}

std::string Version::tunnel() const {
  const json::Value* pod_spec = body.FindPath({"spec", "template", "spec"});
  return pod_spec ? std::string(TunnelOf(*pod_spec)) : "";
}

std::int64_t Version::replicas() const {
  if (!is_knative()) return body.IntAt({"spec", "replicas"}, 1);
  return revision ? revision->Body().IntAt({"status", "actualReplicas"}) : 0;
}

bool Version::AtWork(absl::Time now) const {
  if (!is_knative()) return replicas() > 0;
  const auto removal = RemovalTime();
  return !deployment_id.empty() && (!removal || *removal > now);
}

std::optional<absl::Time> Version::RemovalTime() const {
  absl::Time at;
  std::string unused;
  if (!absl::ParseTime(absl::RFC3339_full, std::string(Annotation(kRemoveVersionAtAnnotation)), &at, &unused))
    return std::nullopt;
  return at;
}

bool Observed::in_knative_mode() const { return body.StringAt({"spec", "deploymentMode"}) == "knative"; }

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
  const std::string host = HostAt(BehindTunnel(clouds, uri), version.is_knative());
  return host.starts_with(absl::StrCat(version.name(), ".", version.object->key().ns, ".svc."));
}

// <name>-<hash>.<namespace>.svc.<domain>: a hash is made of the ten characters below and has no dash, so no other
// object's versions are called so. One that a person named is ours if the status says so. The name of a tunnel that
// pods open themselves has no namespace, and tells nothing.
bool Observed::IsOurs(std::string_view deployment_id, std::string_view uri) const {
  const std::string host = HostAt(BehindTunnel(clouds, uri), in_knative_mode());
  const std::string before = absl::StrCat(object->key().name, "-");
  if (!host.starts_with(before)) return false;
  const std::string_view rest = std::string_view(host).substr(before.size());
  const auto end = std::min(rest.find('.'), rest.size());
  if (!rest.substr(end).starts_with(absl::StrCat(".", object->key().ns, ".svc."))) return false;
  const std::string_view version_tag = rest.substr(0, end);
  if (version_tag.empty()) return false;
  return version_tag.find_first_not_of(kHashDigits) == std::string_view::npos ||
         (status && status->deployment_id == deployment_id) || ToldOf(absl::StrCat(before, std::string(version_tag)));
}

const admin::DeploymentUse* Observed::UseOf(std::string_view deployment_id) const {
  if (!usage.look) return nullptr;
  const auto it = usage.look->deployments.find(std::string(deployment_id));
  return it == usage.look->deployments.end() ? nullptr : &it->second;
}

}  // namespace restate::deployment

// Observed: everything a decision about one RestateCloudEnvironment may look at. The token is not in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "restate/crd/restate_cloud_environment.h"
#include "restate/json/value.h"
#include "restate/kube/object.h"
#include "restate/plan/names.h"
#include "restate/plan/world.h"

namespace restate::cloud {

// The reference's names, kept so that a swap of operators finds its objects.
using kube::kManager;
using plan::kRestateCloudEnvironments;
using plan::kTokenDigestAnnotation;
inline constexpr std::string_view kNameLabel = "app.kubernetes.io/name";
inline constexpr std::string_view kInstanceLabel = "app.kubernetes.io/instance";
inline constexpr std::string_view kTunnelClient = "restate-cloud-tunnel-client";  // the container, and kNameLabel
inline constexpr std::string_view kTunnelPrefix = "tunnel-";  // then the name of the object: Deployment and Service

// How much of a token's digest is kept, in hex digits: enough to tell tokens apart, and nothing to find one by.
inline constexpr std::size_t kDigestLength = 16;

// A pod of the tunnel, or what is left of it.
struct Pod {
  kube::ObjectPtr object;
  json::Value body;
};

struct Observed {
  kube::ObjectPtr object;
  json::Value body;
  absl::Status decoded;  // not ok: `spec` is not to be used
  crd::RestateCloudEnvironmentSpec spec;
  std::optional<crd::RestateCloudEnvironmentStatus> status;

  plan::Config config;
  absl::Time now;

  kube::ObjectPtr deployment, service;  // of the tunnel's name, whoever owns them; null: none
  json::Value live;                     // the Deployment; null: none
  std::vector<Pod> pods;

  // Of the token that the Secret has now: as much of its SHA-256 as tells tokens apart. Error: why there is none.
  absl::StatusOr<std::string> token_digest = absl::UnknownError("not looked at");

  const std::string& name() const { return object->key().name; }
  std::string tunnel_name() const { return std::string(kTunnelPrefix) + name(); }
  bool deleting() const { return object->deleting(); }
  bool suspended() const;  // by annotation restate.dev/reconcile=disabled; a delete request ends it
  bool Owns(const kube::Object& child) const { return child.owner_uid() == object->uid(); }
  // The part of the spec that may be left out, as if it were there and empty.
  const crd::TunnelSpec& tunnel() const;
  // Pods that are wanted. Where the spec leaves it open, whoever scales the Deployment decides.
  std::int64_t replicas() const;
  // Where the token is.
  kube::Key secret() const { return {config.operator_namespace, spec.authentication.secret.name}; }
};

// Gathers it from the cache, less the token; nullopt: the object is gone.
std::optional<Observed> Gather(const kube::Key& key, const runtime::Cache& cache, const plan::Config& config,
                               absl::Time now);

}  // namespace restate::cloud

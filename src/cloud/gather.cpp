#include "restate/cloud/observed.h"
#include "restate/plan/suspension.h"
#include "restate/schema/codec.h"

namespace restate::cloud {
namespace {

void Decode(Observed& seen) {
  const json::Value* spec = seen.body.Find("spec");
  auto decoded = schema::Decode<crd::RestateCloudEnvironmentSpec>(spec ? *spec : json::Value(), "spec");
  seen.decoded = decoded.status();
  if (decoded.ok()) seen.spec = *std::move(decoded);
  const json::Value* status = seen.body.Find("status");
  if (!status) return;
  auto old = schema::Decode<crd::RestateCloudEnvironmentStatus>(*status, "status");
  if (old.ok()) seen.status = *std::move(old);  // one that somebody bent out of shape is written anew
}

void GatherPods(Observed& seen, const runtime::Cache& cache) {
  for (const auto& object : cache.ListIn(kube::kPods, seen.config.operator_namespace)) {
    json::Value body = object->Body();
    if (body.StringAt({"metadata", "labels", kInstanceLabel}) != seen.tunnel_name()) continue;
    seen.pods.push_back({object, std::move(body)});
  }
}

}  // namespace

bool Observed::suspended() const { return plan::IsSuspended(*object, body); }

const crd::TunnelSpec& Observed::tunnel() const {
  static const crd::TunnelSpec kNone;
  return spec.tunnel ? *spec.tunnel : kNone;
}

std::int64_t Observed::replicas() const {
  if (tunnel().replicas) return *tunnel().replicas;
  return live.IntAt({"spec", "replicas"}, 1);
}

std::optional<Observed> Gather(const kube::Key& key, const runtime::Cache& cache, const plan::Config& config,
                               absl::Time now) {
  Observed seen;
  seen.object = cache.Get(kRestateCloudEnvironments, key);
  if (!seen.object) return std::nullopt;
  seen.body = seen.object->Body();
  seen.config = config;
  seen.now = now;
  Decode(seen);
  const kube::Key tunnel{config.operator_namespace, seen.tunnel_name()};
  seen.deployment = cache.Get(kube::kDeployments, tunnel);
  seen.service = cache.Get(kube::kServices, tunnel);
  if (seen.deployment) seen.live = seen.deployment->Body();
  GatherPods(seen, cache);
  return seen;
}

}  // namespace restate::cloud

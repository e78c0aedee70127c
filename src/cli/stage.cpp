#include "restate/cli/stage.h"

#include <memory>

#include "restate/base/digest.h"
#include "restate/base/error.h"
#include "restate/cloud/cloud.h"
#include "restate/cluster/cluster.h"
#include "restate/deployment/deployment.h"

namespace restate::cli {
namespace {

std::optional<plan::Plan> PlanForDeployment(const kube::Key& key, const Stage& stage) {
  auto seen = deployment::Gather(key, stage.cache, stage.config, stage.now, stage.read_secret);
  if (!seen) return std::nullopt;
  seen->needs_look = deployment::LookNeeded(*seen).has_value();
  using enum deployment::ClusterState;
  if (stage.others_unknown && seen->cluster == kMissing) seen->cluster = kNotReady;
  if (stage.as_wished) {
    if (seen->cluster == kNotReady) seen->cluster = kReady;
    seen->usage.look = std::make_shared<admin::Look>();
  }
  return deployment::Kind::MakePlan(*seen);
}

std::optional<plan::Plan> PlanForCluster(const kube::Key& key, const Stage& stage) {
  const auto seen = cluster::Gather(key, stage.cache, stage.config, stage.now);
  if (!seen) return std::nullopt;
  return cluster::Kind::MakePlan(*seen);
}

std::optional<plan::Plan> PlanForCloudEnvironment(const kube::Key& key, const Stage& stage) {
  auto seen = cloud::Gather(key, stage.cache, stage.config, stage.now);
  if (!seen) return std::nullopt;
  if (!seen->deleting() && !seen->suspended() && seen->decoded.ok()) {
    const auto token =
        plan::BearerToken(key, seen->spec.authentication.secret, stage.cache, stage.config, stage.read_secret);
    seen->token_digest = token.ok() ? absl::StatusOr<std::string>(Sha256Hex(*token).substr(0, cloud::kDigestLength))
                                    : absl::StatusOr<std::string>(token.status());
  }
  return cloud::Kind::MakePlan(*seen);
}

}  // namespace

std::string HomeOf(const kube::Resource& kind, const kube::Key& key, const plan::Config& config) {
  if (kind == cluster::Kind::kResource) return key.name;
  return kind == cloud::Kind::kResource ? config.operator_namespace : key.ns;
}

std::optional<plan::Plan> PlanFor(const kube::Resource& kind, const kube::Key& key, const Stage& stage) {
  if (kind == deployment::Kind::kResource) return PlanForDeployment(key, stage);
  if (kind == cluster::Kind::kResource) return PlanForCluster(key, stage);
  return PlanForCloudEnvironment(key, stage);
}

}  // namespace restate::cli

#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "restate/app/kinds.h"
#include "restate/app/losses.h"
#include "restate/deployment/deployment.h"
#include "restate/deployment/labels.h"
#include "restate/deployment/triggers.h"
#include "restate/deployment/version_status.h"
#include "restate/plan/reconcile.h"
#include "restate/plan/triggers.h"

namespace restate::app {
namespace {

using deployment::kRestateClusters;
using deployment::kRestateDeployments;

void TellLoss(const kube::Key& key) {
  spdlog::warn("RestateDeployment {}: its finalizer was taken away; what is registered for it in Restate stays",
               key.ToString());
}

}  // namespace

KindSetup RestateDeployments(State& state, const runtime::WorkQueue& queue) {
  const auto losses = std::make_shared<Losses>(TellLoss);
  const auto own = [losses, &queue](const runtime::Change& change, const runtime::Cache& cache) {
    if (deployment::WasTakenAway(change)) losses->Gone(change.before->key(), queue.held(change.before->key()));
    return One(plan::KeyOfChange)(change, cache);
  };
  const std::string ours = deployment::ManagedSelector();
  return {
      .name = deployment::Kind::kName,
      .resource = kRestateDeployments,
      .watches =
          {
              {.resource = kRestateDeployments, .selector = {}, .keys_of = own},
              {.resource = kube::kReplicaSets, .selector = ours, .keys_of = One(deployment::KeyOfChildChange)},
              {.resource = kube::kServices, .selector = ours, .keys_of = One(deployment::KeyOfChildChange)},
              {.resource = kube::kAutoscalers, .selector = ours, .keys_of = One(deployment::KeyOfSpecChange)},
              {.resource = deployment::kConfigurations,
               .selector = ours,
               .keys_of = One(deployment::KeyOfKnativeChange),
               .optional = true},
              {.resource = deployment::kRoutes,
               .selector = ours,
               .keys_of = One(deployment::KeyOfKnativeChange),
               .optional = true},
              {.resource = deployment::kRevisions,
               .selector = ours,
               .keys_of = One(deployment::KeyOfKnativeChange),
               .optional = true},
              {.resource = kRestateClusters,
               .selector = {},
               .keys_of = deployment::KeysOfClusterChange,
               .optional = true},
              {.resource = deployment::kRestateCloudEnvironments,
               .selector = {},
               .keys_of = deployment::KeysOfCloudChange,
               .optional = true},
              // Only to learn that one changed; those with a token of Restate Cloud are read one by one.
              {.resource = kube::kSecrets,
               .selector = {},
               .keys_of = deployment::KeysOfSecretChange,
               .needed = false,
               .metadata_only = true,
               .ns = state.config.operator_namespace},
          },
      .pass = plan::Reconcile<deployment::Kind>,
      .passed =
          [losses, &state](const kube::Key& key, const kube::ObjectPtr& object, const absl::Status& error) {
            losses->Passed(key, error);
            if (!object) return;
            const auto counts = deployment::CountVersions(object->Body());
            state.metrics.SetVersions(key, counts.by_phase, counts.invocations);
          },
  };
}

}  // namespace restate::app

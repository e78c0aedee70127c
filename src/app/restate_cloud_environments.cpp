#include "absl/strings/str_cat.h"
#include "restate/app/kinds.h"
#include "restate/cloud/cloud.h"
#include "restate/cloud/triggers.h"
#include "restate/plan/reconcile.h"
#include "restate/plan/triggers.h"

namespace restate::app {

KindSetup RestateCloudEnvironments() {
  // A label that the reference's objects have as well.
  const std::string ours = absl::StrCat(std::string(cloud::kNameLabel), "=", std::string(cloud::kTunnelClient));
  return {
      .name = cloud::Kind::kName,
      .resource = cloud::kRestateCloudEnvironments,
      .watches =
          {
              {.resource = cloud::kRestateCloudEnvironments, .selector = {}, .keys_of = One(plan::KeyOfChange)},
              {.resource = kube::kDeployments, .selector = ours, .keys_of = One(cloud::KeyOfTunnelChange)},
              {.resource = kube::kServices, .selector = ours, .keys_of = One(cloud::KeyOfTunnelChange)},
              // They only say why a tunnel is not ready.
              {.resource = kube::kPods, .selector = ours, .keys_of = One(cloud::KeyOfPodChange), .needed = false},
              {.resource = kube::kSecrets, .selector = {}, .keys_of = cloud::KeysOfSecretChange, .metadata_only = true},
          },
      .pass = plan::Reconcile<cloud::Kind>,
      .passed = {},
  };
}

}  // namespace restate::app

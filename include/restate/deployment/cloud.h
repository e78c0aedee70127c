// Restate Cloud as a RestateDeployment meets it: environments that may be registered with, and services that are
// reached through a tunnel.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/admin/cloud.h"
#include "restate/crd/restate_cloud_environment.h"
#include "restate/crd/restate_deployment.h"
#include "restate/json/value.h"
#include "restate/kube/object.h"
#include "restate/plan/bearer_token.h"
#include "restate/plan/world.h"

namespace restate::deployment {

// A RestateCloudEnvironment.
struct Cloud {
  std::string name;
  std::string uid;                                      // what its tunnel is called
  absl::StatusOr<admin::CloudEnvironment> environment;  // error: the spec has a mistake
  crd::TokenSecret secret;
};

using plan::ReadSecret;

// All of them, by name.
std::vector<Cloud> CloudsIn(const runtime::Cache& cache);

// The admin API of an environment, with its token. Errors: those of its spec and those of plan::BearerToken.
absl::StatusOr<admin::Endpoint> EndpointOf(const Cloud& cloud, const runtime::Cache& cache, const plan::Config& config,
                                           const ReadSecret& read_secret);

// The environment of that name. Errors (spec.restate.register.cloud): kCloudEnvironmentNotFound; kNotSynced.
absl::StatusOr<Cloud> FindCloud(const std::vector<Cloud>& clouds, std::string_view name, bool listed);

// What is reached through the tunnel of one of these environments: "http://host:port/path"; `uri` itself where it goes
// through none of them. Other installations have tunnels of their own to the same environment.
std::string BehindTunnel(const std::vector<Cloud>& clouds, std::string_view uri);

// Whether the pods open their tunnel themselves.
bool TunnelsInProcess(const crd::RestateDeploymentSpec& spec);

// The pod spec with what the SDK needs to open a tunnel called `tunnel` in each container and init container. Error
// (kInvalidSpec, names the field): a container declares one of these variables itself, or has an env that is no list.
absl::StatusOr<json::Value> WithTunnel(const json::Value& pod_spec, std::string_view tunnel,
                                       const admin::CloudEnvironment& environment);

// The tunnel that these pods open; empty: none.
std::string_view TunnelOf(const json::Value& pod_spec);

}  // namespace restate::deployment

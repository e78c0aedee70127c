// World: what a pass may touch. Built once in `app`; everything in it is thread safe.
#pragma once

#include <stop_token>
#include <string>

#include "restate/admin/client.h"
#include "restate/admin/node_api.h"
#include "restate/admin/nodes.h"
#include "restate/admin/usage.h"
#include "restate/base/clock.h"
#include "restate/kube/applier.h"
#include "restate/kube/client.h"
#include "restate/kube/events.h"
#include "restate/plan/diagnostics.h"
#include "restate/plan/secrets.h"
#include "restate/plan/status_publisher.h"
#include "restate/runtime/cache.h"

namespace restate::plan {

// Facts of this installation that planners need.
struct Config {
  std::string cluster_dns = "cluster.local";
  bool allow_loopback = false;  // an operator outside the cluster may be sent to 127.0.0.1; a pod may not

  std::string operator_namespace;
  std::string operator_label_name, operator_label_value;  // label of the operator's pods; empty: not known
  // Of the tunnel client, where an object names none.
  std::string tunnel_image = "ghcr.io/restatedev/restate-cloud-tunnel-client:0.6.0";
  std::string canary_image = "alpine:3.21";          // with sh, cat, grep and wget
  std::string aws_pod_identity_association_cluster;  // name of the EKS cluster; empty: no pod identities
  bool gcp_workload_identity = false;
  bool manage_network_policies = true;  // false: the kind is neither read nor written
  bool manage_secret_provider_classes = true;
};

struct World {
  const Config& config;
  Clock& clock;
  runtime::Cache& cache;
  kube::Client& client;
  kube::Applier& applier;
  kube::EventRecorder& events;
  admin::AdminClient& admin;
  admin::Usage& usage;
  admin::NodeApi& node_client;
  admin::Nodes& nodes;
  Secrets& secrets;
  StatusPublisher& statuses;
  Diagnostics& diagnostics;
  std::stop_token stop;  // of this pass
};

}  // namespace restate::plan

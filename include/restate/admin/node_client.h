// NodeClient: NodeApi over gRPC without TLS (h2c), as Restate's nodes serve it.
#pragma once

#include <stop_token>
#include <string>

#include "restate/admin/node_api.h"

namespace restate::admin {

// Every call connects anew. Between calls it holds nothing: gRPC's threads end some seconds after the last one. Answers
// may have 4 MiB.
class NodeClient : public NodeApi {
 public:
  NodeClient();

  absl::StatusOr<NodeIdentity> GetIdent(const std::string& address, std::stop_token stop) override;  // 5 s
  absl::Status Provision(const std::string& address, std::stop_token stop) override;  // 10 s to connect, 30 s in all
  absl::StatusOr<NodesState> GetClusterState(const std::string& address, std::stop_token stop) override;  // 10 s
};

}  // namespace restate::admin

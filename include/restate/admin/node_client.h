// NodeClient: NodeApi over gRPC without TLS (h2c), as Restate's nodes serve it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "restate/admin/node_api.h"
#include "restate/base/clock.h"

namespace restate::admin {

// Costs nothing before its first call. The connection to a node is kept for the next call and dropped when a call fails
// on the way or after 10 minutes without one. Answers may have 4 MiB.
class NodeClient : public NodeApi {
 public:
  explicit NodeClient(Clock& clock = Clock::Real());
  ~NodeClient() override;

  absl::StatusOr<NodeIdentity> GetIdent(const std::string& address, std::stop_token stop) override;  // 5 s
  absl::Status Provision(const std::string& address, std::stop_token stop) override;  // 10 s to connect, 30 s in all
  absl::StatusOr<NodesState> GetClusterState(const std::string& address, std::stop_token stop) override;  // 10 s

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::admin

// NodeApi: what Restate's nodes answer on their own port (5122, gRPC): who a node is, whether the cluster has been
// provisioned, and how its nodes and partitions are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace restate::admin {

// In Restate's words N1:2 is node 1 in its second life.
struct NodeId {
  std::uint32_t id = 0;
  std::uint32_t generation = 0;  // 0: not said
};

enum class NodeStatus : std::uint8_t { kUnknown, kAlive, kStartingUp, kShuttingDown };
enum class MetadataServerStatus : std::uint8_t { kUnknown, kStartingUp, kAwaitingProvisioning, kMember, kStandby };

// What a node says about itself, before it belongs to a cluster as well.
struct NodeIdentity {
  NodeStatus status = NodeStatus::kUnknown;
  std::optional<NodeId> node_id;  // nullopt: it has joined no cluster
  std::string cluster_name;       // as configured
  MetadataServerStatus metadata_server = MetadataServerStatus::kUnknown;

  // The node belongs to a cluster that has data: nobody may provision it again.
  bool Provisioned() const {
    return node_id || metadata_server == MetadataServerStatus::kMember ||
           metadata_server == MetadataServerStatus::kStandby;
  }
  // Neither of the two: the node is still starting, and will say which.
  bool AwaitsProvisioning() const {
    return !Provisioned() && metadata_server == MetadataServerStatus::kAwaitingProvisioning;
  }
};

struct NodeState {
  bool alive = false;
  std::uint32_t generation = 0;               // of one that is alive
  std::optional<absl::Time> last_seen_alive;  // of one that is dead; nullopt: nobody said when
};

// What the nodes that are alive say of a partition.
struct PartitionState {
  int processors = 0;  // how many of them run it
  bool has_leader = false;
  int replaying = 0;                  // processors that are not up to date yet
  std::set<std::uint32_t> broken_on;  // nodes where its store has to be replaced
};

// The cluster as one of its nodes sees it.
struct NodesState {
  absl::Duration age;  // of that node's view
  std::map<std::uint32_t, NodeState> nodes;
  // A partition that ran on dead nodes only is not in here, which `configured_partitions` shows.
  std::map<std::uint32_t, PartitionState> partitions;
  std::uint32_t configured_partitions = 0;
};

// What is wrong in it, as one sentence without its full stop: "node N2 is dead; partitions 3 and 7 have no leader".
// Empty: every node is alive, and every partition has a leader and only processors that are up to date. How many
// processors a partition should have is not looked at.
std::string TroubleIn(const NodesState& state);

// Thread safe. Calls block, end early with kStopped when `stop` is requested, and are never repeated by themselves.
// `address` is host:port. Errors name it: kAdminCallFailed when nobody answered or the node is not ready to,
// kAdminCallRejected when the node answered with anything else than success.
class NodeApi {
 public:
  virtual ~NodeApi() = default;
  virtual absl::StatusOr<NodeIdentity> GetIdent(const std::string& address, std::stop_token stop) = 0;
  // Makes the node the first of a new cluster, with the node's own configuration. OK too when that has been done. After
  // an error it may have happened all the same: what may follow is the same call at the same node, and no other.
  virtual absl::Status Provision(const std::string& address, std::stop_token stop) = 0;
  virtual absl::StatusOr<NodesState> GetClusterState(const std::string& address, std::stop_token stop) = 0;
};

}  // namespace restate::admin

// FakeNodes: Restate's nodes as their gRPC port shows them, in memory.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "restate/admin/node_api.h"
#include "restate/base/guarded.h"

namespace restate::fake {

// Thread safe. A node that nobody has described does not answer.
class FakeNodes : public admin::NodeApi {
 public:
  // What the node at `address` says from now on; a state without an identity is fine.
  void Identify(const std::string& address, absl::StatusOr<admin::NodeIdentity> identity);
  void SetState(const std::string& address, absl::StatusOr<admin::NodesState> state);
  // How calls of Provision end. Without it, they succeed at a node that has an identity, which is provisioned then.
  void FailProvision(const std::string& address, absl::Status error);
  // A node that hangs: calls wait until it is released or they are stopped.
  void Hang(const std::string& address);
  void Release(const std::string& address);

  // Every call so far: "ident a:5122", "provision a:5122", "state a:5122".
  std::vector<std::string> calls() const;
  // Blocks until that many calls were begun, and returns them. Throws std::runtime_error after 30 s.
  std::vector<std::string> WaitForCalls(std::size_t count) const;

  absl::StatusOr<admin::NodeIdentity> GetIdent(const std::string& address, std::stop_token stop) override;
  absl::Status Provision(const std::string& address, std::stop_token stop) override;
  absl::StatusOr<admin::NodesState> GetClusterState(const std::string& address, std::stop_token stop) override;

  static admin::NodeIdentity Awaiting();
  static admin::NodeIdentity Member(std::uint32_t id);

 private:
  absl::Status Enter(std::unique_lock<std::mutex>& lock, std::string call, const std::string& address,
                     const std::stop_token& stop);

  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::map<std::string, absl::StatusOr<admin::NodeIdentity>> identities_ GUARDED_BY(mutex_);
  std::map<std::string, absl::StatusOr<admin::NodesState>> states_ GUARDED_BY(mutex_);
  std::map<std::string, absl::Status> provision_errors_ GUARDED_BY(mutex_);
  std::set<std::string> hanging_ GUARDED_BY(mutex_);
  std::vector<std::string> calls_ GUARDED_BY(mutex_);
};

}  // namespace restate::fake

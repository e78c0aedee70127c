#include "fake/fake_nodes.h"

#include <absl/strings/str_cat.h>

#include <stdexcept>
#include <utility>

#include "restate/base/error.h"

namespace restate::fake {
namespace {

absl::Status NobodyThere(const std::string& address) {
  return MakeError(Reason::kAdminCallFailed, address + ": UNAVAILABLE: nobody is there");
}

}  // namespace

void FakeNodes::Identify(const std::string& address, absl::StatusOr<admin::NodeIdentity> identity) {
  const std::lock_guard lock(mutex_);
  identities_.insert_or_assign(address, std::move(identity));
}

void FakeNodes::SetState(const std::string& address, absl::StatusOr<admin::NodesState> state) {
  const std::lock_guard lock(mutex_);
  states_.insert_or_assign(address, std::move(state));
}

void FakeNodes::FailProvision(const std::string& address, absl::Status error) {
  const std::lock_guard lock(mutex_);
  provision_errors_.insert_or_assign(address, std::move(error));
}

void FakeNodes::Hang(const std::string& address) {
  const std::lock_guard lock(mutex_);
  hanging_.insert(address);
}

void FakeNodes::Release(const std::string& address) {
  const std::lock_guard lock(mutex_);
  hanging_.erase(address);
  changed_.notify_all();
}

std::vector<std::string> FakeNodes::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::vector<std::string> FakeNodes::WaitForCalls(std::size_t count) const {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_for(lock, std::chrono::seconds(30), [&] { return calls_.size() >= count; });
  if (!came) throw std::runtime_error(absl::StrCat("only ", calls_.size(), " calls of ", count, " after 30 s"));
  return calls_;
}

absl::StatusOr<admin::NodeIdentity> FakeNodes::GetIdent(const std::string& address, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  RETURN_IF_ERROR(Enter(lock, "ident ", address, stop));
  const auto found = identities_.find(address);
  return found == identities_.end() ? NobodyThere(address) : found->second;
}

absl::Status FakeNodes::Provision(const std::string& address, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  RETURN_IF_ERROR(Enter(lock, "provision ", address, stop));
  if (const auto error = provision_errors_.find(address); error != provision_errors_.end()) return error->second;
  const auto found = identities_.find(address);
  if (found == identities_.end() || !found->second.ok()) return NobodyThere(address);
  if (!found->second->Provisioned()) found->second = Member(1);
  return absl::OkStatus();
}

absl::StatusOr<admin::NodesState> FakeNodes::GetClusterState(const std::string& address, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  RETURN_IF_ERROR(Enter(lock, "state ", address, stop));
  const auto found = states_.find(address);
  return found == states_.end() ? NobodyThere(address) : found->second;
}

admin::NodeIdentity FakeNodes::Awaiting() {
  return {.status = admin::NodeStatus::kStartingUp,
          .node_id = {},
          .cluster_name = "cluster",
          .metadata_server = admin::MetadataServerStatus::kAwaitingProvisioning};
}

admin::NodeIdentity FakeNodes::Member(std::uint32_t id) {
  return {.status = admin::NodeStatus::kAlive,
          .node_id = admin::NodeId{.id = id, .generation = 1},
          .cluster_name = "cluster",
          .metadata_server = admin::MetadataServerStatus::kMember};
}

absl::Status FakeNodes::Enter(std::unique_lock<std::mutex>& lock, std::string call, const std::string& address,
                              const std::stop_token& stop) {
  calls_.push_back(std::move(call) + address);
  changed_.notify_all();
  const bool free = changed_.wait(lock, stop, [&] { return !hanging_.contains(address); });
  return free ? absl::OkStatus() : MakeError(Reason::kStopped, address + ": the call was stopped");
}

}  // namespace restate::fake

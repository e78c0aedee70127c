// FencedNodes: calls at nodes, which leave with a fence's permission only.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "restate/admin/node_api.h"
#include "restate/kube/fence.h"

namespace restate::app {

class FencedNodes : public admin::NodeApi {
 public:
  FencedNodes(std::unique_ptr<admin::NodeApi> inner, const kube::Fence& fence)
      : inner_(std::move(inner)), fence_(fence) {}

  absl::StatusOr<admin::NodeIdentity> GetIdent(const std::string& address, std::stop_token stop) override {
    return Call(std::move(stop), [&](std::stop_token either) { return inner_->GetIdent(address, std::move(either)); });
  }
  absl::Status Provision(const std::string& address, std::stop_token stop) override {
    return Call(std::move(stop), [&](std::stop_token either) { return inner_->Provision(address, std::move(either)); });
  }
  absl::StatusOr<admin::NodesState> GetClusterState(const std::string& address, std::stop_token stop) override {
    return Call(std::move(stop),
                [&](std::stop_token either) { return inner_->GetClusterState(address, std::move(either)); });
  }

 private:
  template <typename F>
  auto Call(std::stop_token stop, const F& call) -> decltype(call(stop)) {
    const auto permit = fence_.Enter();
    if (!permit.ok()) return permit.status();
    const kube::EitherStop either(std::move(stop), permit->lost);
    return call(either.token());
  }

  const std::unique_ptr<admin::NodeApi> inner_;
  const kube::Fence& fence_;
};

}  // namespace restate::app

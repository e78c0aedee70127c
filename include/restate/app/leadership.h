// Leadership: whether this process may act: always, or while it holds the Lease. What leaves the process to change
// something passes its fence.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

#include "absl/status/statusor.h"
#include "restate/admin/node_api.h"
#include "restate/app/metrics.h"
#include "restate/app/settings.h"
#include "restate/json/value.h"
#include "restate/runtime/leader_election.h"

namespace restate::app {

// Thread safe.
class Leadership {
 public:
  using Ended = std::function<void(const runtime::EndOfTerm&)>;
  // `api`: of the API server. `ended`: as LeaderElection's. Error: unusable settings.
  static absl::StatusOr<std::unique_ptr<Leadership>> New(const Settings& settings, bool in_cluster,
                                                         const kube::HttpSettings& api, Metrics& metrics, Clock& clock,
                                                         Ended ended);

  bool Elects() const { return election_ != nullptr; }
  void Start();
  bool Leads() const;
  // Blocks until it leads; false: stopped, or it never will.
  bool Await(std::stop_token stop) const;
  // The Lease is given back, once nothing is to be written any more.
  void Release();

  // Who leads and since when, for the diagnostics page.
  json::Value Diagnosed() const;

  // What may change something, behind the fence if there is one; it outlives neither this nor `api`.
  std::unique_ptr<kube::HttpClient> Fenced(std::unique_ptr<kube::HttpClient> http) const;
  std::unique_ptr<admin::NodeApi> Fenced(std::unique_ptr<admin::NodeApi> nodes) const;

 private:
  Leadership() = default;

  std::string identity_;
  kube::Key lease_;
  std::unique_ptr<kube::HttpClient> http_;  // of its own, so that renewals never wait behind other requests
  std::unique_ptr<kube::Client> client_;
  std::unique_ptr<runtime::LeaderElection> election_;  // null: there is no election. Last: it uses the others
};

}  // namespace restate::app

// RestateModel: what a Restate knows of deployments, services and invocations, with the rules measured on
// server 1.7.12.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace restate::fake {

struct Invocation {
  std::string service;
  std::string status = "invoked";  // scheduled, inboxed, invoked, suspended, paused, completed
  std::string pin;                 // deployment id; empty: not pinned
  std::string attempt;             // deployment id of the attempt in flight; empty: none
  absl::Time created = absl::FromUnixSeconds(1'800'000'000);
};

// Not thread safe.
class RestateModel {
 public:
  struct Deployment {
    std::string id, uri;
    std::map<std::string, int> revisions;  // by service
  };
  struct Registered {
    int code = 201;
    std::string id;
  };

  // What the pods at a URI say when they are discovered. Without a word about it a URI has one service, named after its
  // host: "greeter.shop" of http://greeter-5d4f8c.shop.svc...; versions of one name in one namespace share it.
  void Advertise(std::string_view uri, std::vector<std::string> services);
  // The pods at the URI do not answer: discovery fails.
  void Unreachable(std::string_view uri);

  // nullopt: discovery failed. A known URI without `force` is answered from memory; with it, its services become the
  // latest again, under the same id.
  std::optional<Registered> Register(std::string_view uri, bool force);
  // false: there is no such deployment. Invocations pinned to it stay, as in Restate.
  bool Forget(std::string_view id);

  const std::map<std::string, Deployment>& deployments() const { return deployments_; }
  // The deployment with the highest revision of each service.
  std::map<std::string, std::string> Latest() const;
  std::string IdOf(std::string_view uri) const;  // "" when not registered

  std::map<std::string, Invocation>& invocations() { return invocations_; }
  // Unfinished invocations pinned to the deployment or running on it.
  int InUse(std::string_view id) const;

  // The answer to UsageSql, in JSON as Restate writes it.
  std::string UsageRows(bool count_unpinned) const;
  // The answer to the reference's own query, which benchmarks compare with: each deployment, and whether it is in use.
  std::string ActiveRows() const;

 private:
  static std::string Normalized(std::string_view uri);
  std::optional<std::vector<std::string>> Discover(const std::string& uri) const;
  void AddUses(std::string& rows, bool count_unpinned) const;

  std::map<std::string, std::optional<std::vector<std::string>>> advertised_;  // nullopt: unreachable
  std::map<std::string, Deployment> deployments_;                              // by id
  std::map<std::string, int> highest_;                                         // revision, by service
  std::map<std::string, std::map<int, std::string>> revisions_;                // service -> revision -> id
  std::map<std::string, Invocation> invocations_;
};

}  // namespace restate::fake

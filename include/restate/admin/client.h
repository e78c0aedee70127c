// AdminClient: the calls on Restate's admin API.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/admin/endpoint.h"
#include "restate/admin/look.h"
#include "restate/base/clock.h"
#include "restate/base/guarded.h"
#include "restate/kube/http.h"

namespace restate::admin {

struct RegisterRequest {
  std::string uri;
  bool force = false;                    // always sent: servers differ in their default
  std::optional<bool> use_http_11;       // sent only when set
};

struct Registration {
  std::string id;                        // "dp_...", checked against [A-Za-z0-9_-]+
  std::vector<std::string> services;
};

struct AdminObserver {
  virtual ~AdminObserver() = default;
  // `call`: "register", "forget", "query". `code` 0: no answer.
  virtual void Called(const Endpoint&, std::string_view /*call*/, int /*code*/, absl::Duration) {}
};

// Makes the client of one origin ("http://host:port").
using HttpFactory = std::function<absl::StatusOr<std::unique_ptr<kube::HttpClient>>(const std::string& origin)>;

// Thread safe. At most 4 calls in flight per origin, of which 3 may be registrations or deregistrations, so that a query is
// not crowded out: one more is refused at once with kAdminBusy, and a dead Restate never holds all workers. Errors: kAdminCallFailed (no answer, or none that is Restate's), kAdminCallRejected (an answer
// other than 2xx: the message quotes the code and, of a Restate error, `message` and `restate_code`, at most 512 bytes with
// control characters replaced; a foreign server is quoted by code, content type and length only). Answers that carry
// Retry-After pass it on. Clients of origins that were not used for 10 minutes are dropped.
class AdminClient {
 public:
  explicit AdminClient(HttpFactory factory, AdminObserver* observer = nullptr, Clock& clock = Clock::Real());
  ~AdminClient();

  // POST /deployments, 60 s at most (the server retries discovery itself for seconds), answers up to 8 MiB: they describe
  // every handler with its schemas.
  absl::StatusOr<Registration> Register(const Endpoint& endpoint, const RegisterRequest& request, std::stop_token stop);
  // DELETE /deployments/<id>?force=true, 30 s. Already gone is success, when Restate says so and not a proxy before it.
  absl::Status Forget(const Endpoint& endpoint, std::string_view deployment_id, std::stop_token stop);
  // POST /query, 30 s, at most 8 MiB. Any doubt (no JSON, a missing column, an unknown kind of row, a cut body, another
  // content type) is an error, never a partial look.
  absl::StatusOr<Look> Query(const Endpoint& endpoint, bool count_unpinned, std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::admin

// FakeAdmin: Restate's admin API for tests, on a loopback port, with a model behind it and faults on demand.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fake/api_answer.h"
#include "fake/api_request.h"
#include "fake/http_server.h"
#include "fake/restate_model.h"
#include "restate/base/guarded.h"
#include "restate/json/value.h"

namespace restate::fake {

enum class AdminCall : std::uint8_t { kRegister, kForget, kQuery, kServices, kDeployments, kOther };
inline constexpr int kAdminCalls = 6;
std::string_view NameOf(AdminCall call);  // "register", ...

// What happens instead of a true answer.
struct AdminFault {
  enum class Kind : std::uint8_t {
    kAnswer,        // this code and body; nothing is done
    kSilence,       // no answer until the caller goes
    kCut,           // half of the true answer, then the connection ends
    kArrow,         // 200 in another format, as /query does for another Accept
    kEndless,       // 200 and JSON without an end
    kReset,         // the connection breaks; nothing is done
    kDoneAndReset,  // the connection breaks after everything was done
  };
  Kind kind = Kind::kAnswer;
  int code = 500;
  std::string body = R"({"message":"Datafusion error: node lookup for partition 0 failed"})";
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// Thread safe.
class FakeAdmin {
 public:
  struct Options {
    int port = 0;        // any free one
    bool record = true;  // false: count calls only, for long runs
  };
  struct Call {
    AdminCall kind = AdminCall::kOther;
    std::string method, target, body;
    std::map<std::string, std::string> headers;  // names in lower case
    int code = 0;  // as answered; 0 when a fault sent none
  };

  FakeAdmin() : FakeAdmin(Options()) {}
  explicit FakeAdmin(Options options);

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  // Ends every open connection, as a server does that is killed.
  void BreakConnections() { server_.BreakConnections(); }

  // Runs `change` on the model while no call is served.
  template <class F>
  auto With(F change) {
    const std::lock_guard lock(mutex_);
    return change(model_);
  }
  // Work that exists from now on, under a name for Complete.
  void Start(const std::string& name, Invocation invocation);
  void Complete(const std::string& name);
  // "" when the URI is not registered; the deployment id that serves new calls of the service, or "".
  std::string IdOf(std::string_view uri) const;
  std::string LatestOf(const std::string& service) const;

  // The next `times` calls of the kind meet the fault, after those set before; -1: all, until Heal.
  void Break(AdminCall kind, AdminFault fault, int times = -1);
  void Heal();

  std::vector<Call> Calls() const;
  int Count(AdminCall kind) const;
  int MostAtOnce() const;  // calls served at the same time
  // Waits, in real time and at most 30 s, until so many calls of the kind have arrived.
  [[nodiscard]] bool WaitForCalls(AdminCall kind, int count);
  // Deregistrations of deployments that had unfinished work: each one is a broken promise.
  std::vector<std::string> UnsafeForgets() const;
  // Counters for people and benchmarks; GET /_counters answers it. PUT /_pins/<name> with a deployment id as its body is
  // Start, DELETE is Complete.
  json::Value Counters() const;

 private:
  struct Broken {
    AdminFault fault;
    int left = -1;
  };

  bool Serve(const ApiRequest& request, Connection& connection, const std::stop_token& stop);
  bool ServeBroken(const ApiRequest& request, const AdminFault& fault, Connection& connection,
                   const std::stop_token& stop, int& code);
  bool Arrived(AdminCall kind, AdminFault* fault);  // whether there is a fault
  void Left(const ApiRequest& request, AdminCall kind, int code);

  Answer AnswerTo(const ApiRequest& request, AdminCall kind);
  Answer Pin(const ApiRequest& request);
  Answer RegisterLocked(const ApiRequest& request);
  Answer ForgetLocked(const ApiRequest& request);
  Answer QueryLocked(const ApiRequest& request) const;
  Answer ServicesLocked() const;
  Answer DeploymentsLocked(std::string_view path) const;
  json::Value DeploymentLocked(const RestateModel::Deployment& deployment) const;

  const Options options_;
  const std::array<std::string, 2> sql_;  // the two texts it understands, without and with the count of unpinned work
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  RestateModel model_ GUARDED_BY(mutex_);
  std::array<std::deque<Broken>, kAdminCalls> broken_ GUARDED_BY(mutex_);
  std::array<int, kAdminCalls> counts_ GUARDED_BY(mutex_) = {};
  int at_once_ GUARDED_BY(mutex_) = 0;
  int most_at_once_ GUARDED_BY(mutex_) = 0;
  std::vector<Call> calls_ GUARDED_BY(mutex_);
  std::vector<std::string> unsafe_forgets_ GUARDED_BY(mutex_);
  HttpServer server_;  // last: its threads use everything above
};

}  // namespace restate::fake

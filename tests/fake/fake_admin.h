// FakeAdmin: Restate's admin API for tests, on a loopback port, with a model behind it and faults on demand.
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fake/loopback_server.h"
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
  LoopbackServer::Connection::Headers headers = {};
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
    LoopbackServer::Connection::Headers headers;
    int code = 0;  // as answered; 0 when a fault sent none
  };

  FakeAdmin() : FakeAdmin(Options()) {}
  explicit FakeAdmin(Options options);
  ~FakeAdmin();

  std::string url() const { return server_.url(); }
  LoopbackServer& server() { return server_; }

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
  // Counters for people and benchmarks; GET /_counters answers it.
  json::Value Counters() const;

 private:
  struct Answer {
    int code = 200;
    std::string body;
    std::string content_type = "application/json";
    LoopbackServer::Connection::Headers headers = {};
  };
  struct Broken {
    AdminFault fault;
    int left = -1;
  };

  bool Serve(const LoopbackServer::Request& request, LoopbackServer::Connection& connection);
  bool ServeBroken(const LoopbackServer::Request& request, AdminCall kind, const AdminFault& fault,
                   LoopbackServer::Connection& connection, int& code);
  bool Arrived(AdminCall kind, AdminFault* fault);  // whether there is a fault
  void Left(const LoopbackServer::Request& request, AdminCall kind, int code);

  Answer AnswerTo(const LoopbackServer::Request& request, AdminCall kind);
  Answer RegisterLocked(const LoopbackServer::Request& request);
  Answer ForgetLocked(const LoopbackServer::Request& request);
  Answer QueryLocked(const LoopbackServer::Request& request) const;
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
  LoopbackServer server_;  // last: its threads use everything above
};

}  // namespace restate::fake

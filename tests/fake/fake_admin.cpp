#include "fake/fake_admin.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "restate/admin/look.h"
#include "restate/base/clock.h"
#include "restate/json/text.h"

namespace restate::fake {
namespace {

using json::Arr;
using json::Array;
using json::Obj;
using json::Value;

constexpr std::string_view kDeployments = "/deployments";
constexpr std::string_view kPins = "/_pins/";

std::string_view PathBelow(std::string_view path, std::string_view base) {
  path.remove_prefix(std::min(path.size(), base.size()));
  if (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

AdminCall KindOf(const ApiRequest& request) {
  const std::string_view path = request.path;
  if (path == "/query") return AdminCall::kQuery;
  if (path == "/services") return AdminCall::kServices;
  if (!path.starts_with(kDeployments)) return AdminCall::kOther;
  if (request.method == "POST") return AdminCall::kRegister;
  return request.method == "DELETE" ? AdminCall::kForget : AdminCall::kDeployments;
}

std::string ErrorBody(std::string_view message, Value code = nullptr) {
  // Not Obj: the null stays, as in Restate's answers.
  return json::Dump(Value(json::Object{{"message", Value(message)}, {"restate_code", std::move(code)}}));
}

Value ServiceOf(const std::string& name, const std::string& id, int revision) {
  return Obj({{"name", name}, {"ty", "Service"}, {"deployment_id", id}, {"revision", revision}, {"public", true}});
}

}  // namespace

std::string_view NameOf(AdminCall call) {
  static constexpr std::array<std::string_view, kAdminCalls> kNames{"register", "forget",      "query",
                                                                    "services", "deployments", "other"};
  return kNames[static_cast<std::size_t>(call)];
}

FakeAdmin::FakeAdmin(Options options)
    : options_(options),
      sql_{admin::UsageSql(false), admin::UsageSql(true)},
      server_([this](const auto& request, auto& connection, auto stop) { return Serve(request, connection, stop); },
              options.port) {}

void FakeAdmin::Start(const std::string& name, Invocation invocation) {
  With([&](RestateModel& model) { model.invocations()[name] = std::move(invocation); });
}

void FakeAdmin::Complete(const std::string& name) {
  With([&](RestateModel& model) {
    auto& invocation = model.invocations()[name];
    invocation.status = "completed";
    invocation.attempt.clear();
  });
}

std::string FakeAdmin::IdOf(std::string_view uri) const {
  const std::lock_guard lock(mutex_);
  return model_.IdOf(uri);
}

std::string FakeAdmin::LatestOf(const std::string& service) const {
  const std::lock_guard lock(mutex_);
  const auto latest = model_.Latest();
  const auto found = latest.find(service);
  return found == latest.end() ? "" : found->second;
}

void FakeAdmin::Break(AdminCall kind, AdminFault fault, int times) {
  const std::lock_guard lock(mutex_);
  broken_[static_cast<std::size_t>(kind)].push_back({.fault = std::move(fault), .left = times});
}

void FakeAdmin::Heal() {
  const std::lock_guard lock(mutex_);
  for (auto& faults : broken_) faults.clear();
}

std::vector<FakeAdmin::Call> FakeAdmin::Calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

int FakeAdmin::Count(AdminCall kind) const {
  const std::lock_guard lock(mutex_);
  return counts_[static_cast<std::size_t>(kind)];
}

int FakeAdmin::MostAtOnce() const {
  const std::lock_guard lock(mutex_);
  return most_at_once_;
}

bool FakeAdmin::WaitForCalls(AdminCall kind, int count) {
  std::unique_lock lock(mutex_);
  return arrived_.wait_for(lock, std::chrono::seconds(30),
                           [&] { return counts_[static_cast<std::size_t>(kind)] >= count; });
}

std::vector<std::string> FakeAdmin::UnsafeForgets() const {
  const std::lock_guard lock(mutex_);
  return unsafe_forgets_;
}

Value FakeAdmin::Counters() const {
  const std::lock_guard lock(mutex_);
  Value counters;
  for (int i = 0; i < kAdminCalls; ++i) {
    counters[NameOf(static_cast<AdminCall>(i))] = counts_[static_cast<std::size_t>(i)];
  }
  counters["most_at_once"] = most_at_once_;
  counters["unsafe_forgets"] = static_cast<std::int64_t>(unsafe_forgets_.size());
  counters["registered"] = static_cast<std::int64_t>(model_.deployments().size());
  counters["serving"] = static_cast<std::int64_t>(model_.Latest().size());
  return counters;
}

// Work for benchmarks that run in another process.
Answer FakeAdmin::Pin(const ApiRequest& request) {
  const std::string name = request.path.substr(kPins.size());
  if (request.method == "DELETE") {
    Complete(name);
  } else {
    Start(name, {.service = "pinned", .status = "suspended", .pin = request.body});
  }
  return {.code = 200, .body = "{}"};
}

bool FakeAdmin::Serve(const ApiRequest& request, Connection& connection, const std::stop_token& stop) {
  if (request.path == "/_counters") return connection.SendAnswer({.code = 200, .body = json::Dump(Counters())});
  if (request.path.starts_with(kPins)) return connection.SendAnswer(Pin(request));
  const auto kind = KindOf(request);
  AdminFault fault;
  if (Arrived(kind, &fault)) {
    int code = 0;
    const bool keep = ServeBroken(request, fault, connection, stop, code);
    Left(request, kind, code);
    return keep;
  }
  const auto answer = AnswerTo(request, kind);
  // Booked before the caller can see the answer, so that a test never finds a call missing.
  Left(request, kind, answer.code);
  return connection.SendAnswer(answer);
}

bool FakeAdmin::Arrived(AdminCall kind, AdminFault* fault) {
  const std::lock_guard lock(mutex_);
  ++counts_[static_cast<std::size_t>(kind)];
  most_at_once_ = std::max(most_at_once_, ++at_once_);
  arrived_.notify_all();
  auto& faults = broken_[static_cast<std::size_t>(kind)];
  if (faults.empty()) return false;
  *fault = faults.front().fault;
  if (faults.front().left > 0 && --faults.front().left == 0) faults.pop_front();
  return true;
}

void FakeAdmin::Left(const ApiRequest& request, AdminCall kind, int code) {
  const std::lock_guard lock(mutex_);
  --at_once_;
  if (!options_.record) return;
  calls_.push_back({.kind = kind,
                    .method = request.method,
                    .target = request.target,
                    .body = request.body,
                    .headers = request.headers,
                    .code = code});
}

bool FakeAdmin::ServeBroken(const ApiRequest& request, const AdminFault& fault, Connection& connection,
                            const std::stop_token& stop, int& code) {
  switch (fault.kind) {
    case AdminFault::Kind::kAnswer:
      code = fault.code;
      return connection.SendAnswer(
          {.code = fault.code, .body = fault.body, .content_type = fault.content_type, .headers = fault.headers});
    case AdminFault::Kind::kSilence:
      while (!stop.stop_requested() && !connection.PeerIsGone())
        Clock::Real().Sleep(std::chrono::milliseconds(5), stop);
      return false;
    case AdminFault::Kind::kCut: {
      const auto answer = AnswerTo(request, KindOf(request));
      code = answer.code;
      connection.StartChunked(answer.code, answer.content_type);
      connection.SendChunk(std::string_view(answer.body).substr(0, answer.body.size() / 2));
      return false;
    }
    case AdminFault::Kind::kArrow:
      code = 200;
      return connection.SendAnswer({.body = std::string("\xff\xff\xff\xff\x10\0\0\0", 8),
                                    .content_type = "application/vnd.apache.arrow.stream"});
    case AdminFault::Kind::kEndless:
      code = 200;
      connection.StartChunked();
      connection.SendChunk("{\"rows\":[");
      for (const std::string blanks(64u << 10, ' '); connection.SendChunk(blanks);) {
      }
      return false;
    case AdminFault::Kind::kDoneAndReset: AnswerTo(request, KindOf(request)); [[fallthrough]];
    case AdminFault::Kind::kReset: connection.Reset(); return false;
  }
  return false;
}

Answer FakeAdmin::AnswerTo(const ApiRequest& request, AdminCall kind) {
  const std::lock_guard lock(mutex_);
  const std::string_view path = request.path;
  switch (kind) {
    case AdminCall::kRegister: return RegisterLocked(request);
    case AdminCall::kForget: return ForgetLocked(request);
    case AdminCall::kQuery: return QueryLocked(request);
    case AdminCall::kServices: return ServicesLocked();
    case AdminCall::kDeployments: return DeploymentsLocked(path);
    case AdminCall::kOther: break;
  }
  if (path == "/health") return {.code = 200, .body = "", .content_type = ""};
  if (path == "/version")
    return {.body = R"({"version":"1.7.12","min_admin_api_version":2,"max_admin_api_version":4})"};
  return {.code = 404, .body = "", .content_type = ""};
}

Answer FakeAdmin::RegisterLocked(const ApiRequest& request) {
  if (request.path != kDeployments) return {.code = 404, .body = "", .content_type = ""};
  if (request.Header("content-type") != "application/json") {
    return {
        .code = 415, .body = "Expected request with `Content-Type: application/json`", .content_type = "text/plain"};
  }
  const auto body = json::Parse(request.body);
  if (!body.ok())
    return {.code = 400, .body = "Failed to parse the request body as JSON", .content_type = "text/plain"};
  const auto uri = body->StringAt({"uri"});
  if (uri.find("://") == std::string_view::npos) {
    return {.code = 400, .body = ErrorBody("The request field 'uri' is invalid. Reason: not an absolute URI")};
  }
  const auto registered = model_.Register(uri, body->BoolAt({"force"}));
  if (!registered) {
    return {
        .code = 500,
        .body = ErrorBody("[META0003] error when calling '" + std::string(uri) + "': Connection refused", "META0003")};
  }
  return {.code = registered->code,
          .body = json::Dump(DeploymentLocked(model_.deployments().at(registered->id))),
          .headers = {{"Location", "deployments/" + registered->id}}};
}

Answer FakeAdmin::ForgetLocked(const ApiRequest& request) {
  if (request.Query("force") != "true") return {.code = 501, .body = "", .content_type = ""};
  const std::string id(PathBelow(request.path, kDeployments));
  const int in_use = model_.InUse(id);
  if (!model_.Forget(id)) {
    return {.code = 404, .body = ErrorBody("not found in the schema registry: deployment with id '" + id + "'")};
  }
  if (in_use > 0) unsafe_forgets_.push_back(id + ": " + std::to_string(in_use) + " unfinished");
  return {.code = 202, .body = "", .content_type = ""};
}

Answer FakeAdmin::QueryLocked(const ApiRequest& request) const {
  if (request.Header("accept") != "application/json") {
    return {.body = "not JSON", .content_type = "application/vnd.apache.arrow.stream"};
  }
  const auto body = json::Parse(request.body);
  const auto sql = body.ok() ? body->StringAt({"query"}) : "";
  for (const bool count_unpinned : {false, true}) {
    if (sql == sql_[count_unpinned]) return {.body = model_.UsageRows(count_unpinned)};
  }
  if (sql.find("active_deployments") != std::string_view::npos) return {.body = model_.ActiveRows()};
  return {.code = 400, .body = json::Dump(Obj({{"message", "the fake knows the usage queries of operators only"}}))};
}

Answer FakeAdmin::ServicesLocked() const {
  Array services;
  for (const auto& [name, id] : model_.Latest()) {
    services.push_back(ServiceOf(name, id, model_.deployments().at(id).revisions.at(name)));
  }
  return {.body = json::Dump(Obj({{"services", std::move(services)}}))};
}

Answer FakeAdmin::DeploymentsLocked(std::string_view path) const {
  if (path == kDeployments) {
    Array all;
    for (const auto& [id, deployment] : model_.deployments()) all.push_back(DeploymentLocked(deployment));
    return {.body = json::Dump(Obj({{"deployments", std::move(all)}}))};
  }
  const std::string id(PathBelow(path, kDeployments));
  const auto found = model_.deployments().find(id);
  if (found == model_.deployments().end()) {
    return {.code = 404, .body = ErrorBody("The requested deployment '" + id + "' does not exist")};
  }
  return {.body = json::Dump(DeploymentLocked(found->second))};
}

Value FakeAdmin::DeploymentLocked(const RestateModel::Deployment& deployment) const {
  Array services;
  for (const auto& [name, revision] : deployment.revisions)
    services.push_back(ServiceOf(name, deployment.id, revision));
  return Obj({{"id", deployment.id},
              {"uri", deployment.uri},
              {"services", std::move(services)},
              {"min_protocol_version", 5},
              {"max_protocol_version", 7},
              {"sdk_version", "restate-sdk-typescript/1.17.2"}});
}

}  // namespace restate::fake

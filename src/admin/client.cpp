#include "restate/admin/client.h"

#include <utility>

#include "absl/strings/str_replace.h"
#include "answer.h"
#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/json/value.h"

namespace restate::admin {
namespace {

constexpr int kMaxChanges = 3;   // registrations and deregistrations in flight per origin; the fourth call is left to a query
constexpr int kMaxCalls = 4;     // in flight per origin
constexpr auto kIdle = std::chrono::minutes(10);
constexpr absl::Duration kRegisterTimeout = absl::Seconds(60);
constexpr absl::Duration kForgetTimeout = absl::Seconds(30);
constexpr absl::Duration kQueryTimeout = absl::Seconds(30);
constexpr std::size_t kMaxAnswer = 8u << 20;
constexpr std::size_t kMaxForgetAnswer = 64u << 10;

// A call as metrics and messages name it.
struct Call {
  std::string_view name;
  std::string text;
  bool changes = true;  // a registration or deregistration
};

// The server as it is reached: one connection pool, and how many calls are in flight.
struct Origin {
  std::shared_ptr<kube::HttpClient> http;
  int calls = 0;
  Clock::TimePoint used;
};

kube::HttpRequest JsonPost(std::string target, const json::Value& body, absl::Duration timeout) {
  return {.method = "POST",
          .target = std::move(target),
          .content_type = "application/json",
          .body = json::Dump(body),
          // Exactly this: with anything beside it the server answers /query in Arrow.
          .headers = {{"Accept", "application/json"}},
          .timeout = timeout,
          .max_body = kMaxAnswer};
}

// An answer may quote what it was asked with.
absl::Status WithoutToken(absl::Status status, const Endpoint& endpoint) {
  const std::string_view message = MessageOf(status);
  if (endpoint.bearer_token.empty() || message.find(endpoint.bearer_token) == std::string_view::npos) return status;
  const std::string told = absl::StrReplaceAll({message.data(), message.size()}, {{endpoint.bearer_token, "[token]"}});
  const auto retry_after = RetryAfterOf(status);
  auto clean = MakeError(ReasonOf(status), told);
  return retry_after ? WithRetryAfter(std::move(clean), *retry_after) : clean;
}

}  // namespace

struct AdminClient::Impl {
  Impl(HttpFactory make, AdminObserver* watcher, Clock& time)
      : factory(std::move(make)), observer(watcher), clock(time) {}

  // The client of an origin, with a place among its calls; handed back with Leave.
  absl::StatusOr<std::shared_ptr<kube::HttpClient>> Enter(const std::string& name, bool changes) {
    std::vector<std::shared_ptr<kube::HttpClient>> idle;  // destroyed after the lock is released
    {
      const std::lock_guard lock(mutex);
      idle = TakeIdleLocked();
      if (const auto found = origins.find(name); found != origins.end()) return EnterLocked(found->second, changes, name);
    }
    auto made = factory(name);
    if (!made.ok()) return Annotate(MakeError(Reason::kAdminCallFailed, MessageOf(made.status())), name);
    std::shared_ptr<kube::HttpClient> http = *std::move(made);
    const std::lock_guard lock(mutex);
    // Another caller may have been faster: then the new client goes, unused, when `http` does.
    auto& origin = origins.try_emplace(name, Origin{.http = http, .calls = 0, .used = {}}).first->second;
    return EnterLocked(origin, changes, name);
  }

  absl::StatusOr<std::shared_ptr<kube::HttpClient>> EnterLocked(Origin& origin, bool changes, const std::string& name) {
    if (origin.calls >= (changes ? kMaxChanges : kMaxCalls)) {
      return MakeError(Reason::kAdminBusy, name + ": " + std::to_string(origin.calls) + " calls are in flight already");
    }
    ++origin.calls;
    origin.used = clock.Now();
    return origin.http;
  }

  void Leave(const std::string& name) {
    const std::lock_guard lock(mutex);
    auto& origin = origins.at(name);  // stays while calls are in flight
    --origin.calls;
    origin.used = clock.Now();
  }

  std::vector<std::shared_ptr<kube::HttpClient>> TakeIdleLocked() {
    std::vector<std::shared_ptr<kube::HttpClient>> idle;
    const auto now = clock.Now();
    std::erase_if(origins, [&](auto& entry) {
      auto& origin = entry.second;
      if (origin.calls > 0 || now - origin.used < kIdle) return false;
      idle.push_back(std::move(origin.http));
      return true;
    });
    return idle;
  }

  // The answer, whatever its code.
  absl::StatusOr<kube::HttpResponse> Do(const Endpoint& endpoint, const Call& call, kube::HttpRequest request,
                                        std::stop_token stop) {
    if (!endpoint.bearer_token.empty()) {
      if (!endpoint.origin.starts_with("https://")) {
        return MakeError(Reason::kInternalError, endpoint.origin + " is to get a token without TLS");
      }
      request.headers.emplace_back("Authorization", "Bearer " + endpoint.bearer_token);
    }
    auto http = Enter(endpoint.origin, call.changes);
    if (!http.ok()) return http.status();
    const auto start = clock.Now();
    auto response = (*http)->Do(request, stop);
    const auto took = absl::FromChrono(clock.Now() - start);
    Leave(endpoint.origin);
    if (observer) observer->Called(endpoint, call.name, response.ok() ? response->status : 0, took);
    if (response.ok() || ReasonOf(response.status()) == Reason::kStopped) return response;
    return MakeError(Reason::kAdminCallFailed, call.text + ": " + std::string(MessageOf(response.status())));
  }

  // The answer of a call that succeeded.
  absl::StatusOr<kube::HttpResponse> Answer(const Endpoint& endpoint, const Call& call, kube::HttpRequest request,
                                            std::stop_token stop) {
    auto response = Do(endpoint, call, std::move(request), stop);
    if (!response.ok()) return response.status();
    RETURN_IF_ERROR(WithoutToken(CheckCode(*response, call.text), endpoint));
    return response;
  }

  const HttpFactory factory;
  AdminObserver* const observer;
  Clock& clock;
  std::mutex mutex;
  std::map<std::string, Origin> origins GUARDED_BY(mutex);
};

AdminClient::AdminClient(HttpFactory factory, AdminObserver* observer, Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(factory), observer, clock)) {}
AdminClient::~AdminClient() = default;

absl::StatusOr<Registration> AdminClient::Register(const Endpoint& endpoint, const RegisterRequest& request,
                                                   std::stop_token stop) {
  const auto target = endpoint.prefix + "/deployments";
  const Call call{.name = "register", .text = "POST " + endpoint.origin + target};
  const auto body =
      json::Obj({{"uri", request.uri}, {"force", request.force}, {"use_http_11", json::Value(request.use_http_11)}});
  const auto response = impl_->Answer(endpoint, call, JsonPost(target, body, kRegisterTimeout), stop);
  if (!response.ok()) return response.status();
  if (!IsJson(*response)) return MakeError(Reason::kAdminCallFailed, call.text + ": the answer is not JSON");
  auto registration = ParseRegistration(response->body);
  if (!registration.ok()) return Annotate(registration.status(), call.text);
  return registration;
}

absl::Status AdminClient::Forget(const Endpoint& endpoint, std::string_view deployment_id, std::stop_token stop) {
  if (!IsDeploymentId(deployment_id)) {
    return MakeError(Reason::kInternalError, "a deployment id to deregister has characters that no id of Restate has");
  }
  const auto target = endpoint.prefix + "/deployments/" + std::string(deployment_id) + "?force=true";
  const Call call{.name = "forget", .text = "DELETE " + endpoint.origin + target};
  const kube::HttpRequest request{.method = "DELETE",
                                  .target = target,
                                  .content_type = {},
                                  .body = {},
                                  .headers = {{"Accept", "application/json"}},
                                  .timeout = kForgetTimeout,
                                  .max_body = kMaxForgetAnswer};
  const auto response = impl_->Do(endpoint, call, request, stop);
  if (!response.ok()) return response.status();
  if (IsRestateNotFound(*response)) return absl::OkStatus();
  return WithoutToken(CheckCode(*response, call.text), endpoint);
}

absl::StatusOr<Look> AdminClient::Query(const Endpoint& endpoint, bool count_unpinned, std::stop_token stop) {
  const auto target = endpoint.prefix + "/query";
  const Call call{.name = "query", .text = "POST " + endpoint.origin + target, .changes = false};
  const auto started = impl_->clock.Now();
  const auto body = json::Obj({{"query", UsageSql(count_unpinned)}});
  const auto response = impl_->Answer(endpoint, call, JsonPost(target, body, kQueryTimeout), stop);
  if (!response.ok()) return response.status();
  if (!IsJson(*response)) return MakeError(Reason::kAdminCallFailed, call.text + ": the answer is not JSON");
  auto look = ParseLook(response->body, count_unpinned, started);
  if (!look.ok()) return Annotate(look.status(), call.text);
  return look;
}

}  // namespace restate::admin

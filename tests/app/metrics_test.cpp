#include "restate/app/metrics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "restate/base/error.h"

namespace restate::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The value of one series as it is exposed; "" when it is not.
std::string Of(const Metrics& metrics, const std::string& series) {
  std::istringstream lines(metrics.Text());
  for (std::string line; std::getline(lines, line);) {
    if (line.substr(0, series.size() + 1) == series + " ") return line.substr(series.size() + 1);
  }
  return "";
}

bool Mentions(const Metrics& metrics, std::string_view text) { return metrics.Text().find(text) != std::string::npos; }

const kube::Key kGreeter{"shop", "greeter"};

TEST_CASE("metrics: a pass counts, and its time falls into the buckets of the contract") {
  Metrics metrics;
  runtime::PassObserver& passes = metrics.Passes("RestateDeployment");
  CHECK(Of(metrics, "restate_operator_reconciliations_total") == "0");
  passes.Passed(kGreeter, milliseconds(200), absl::OkStatus());
  passes.Passed(kGreeter, seconds(20), absl::OkStatus());
  CHECK(Of(metrics, "restate_operator_reconciliations_total") == "2");
  const std::string bucket = R"(restate_operator_reconcile_duration_seconds_bucket{kind="RestateDeployment",le=")";
  const std::vector<std::pair<std::string, std::string>> expected = {{"0.01", "0"}, {"0.1", "0"}, {"0.25", "1"},
                                                                     {"0.5", "1"},  {"1", "1"},   {"5", "1"},
                                                                     {"15", "1"},   {"60", "2"},  {"+Inf", "2"}};
  for (const auto& row : expected) {  // no binding: clang 14 cannot capture one
    CAPTURE(row.first);
    CHECK(Of(metrics, bucket + row.first + "\"}") == row.second);
  }
  CHECK_FALSE(Mentions(metrics, "reconciliation_errors_total{"));
}

TEST_CASE("metrics: an error counts under its label, and a wait is no error") {
  Metrics metrics;
  runtime::PassObserver& passes = metrics.Passes("RestateDeployment");
  passes.Passed(kGreeter, milliseconds(1), MakeError(Reason::kAdminCallFailed, "no answer"));
  passes.Passed(kGreeter, milliseconds(1), MakeError(Reason::kAdminCallFailed, "no answer"));
  passes.Passed(kGreeter, milliseconds(1), MakeError(Reason::kReplicaSetPodNotReady, "1 of 2"));
  passes.Passed(kGreeter, milliseconds(1), absl::UnknownError("a status without a reason is a bug of ours"));
  const auto errors = [&](const std::string& error) {
    return Of(metrics, R"(restate_operator_reconciliation_errors_total{error=")" + error +
                           R"(",instance="shop/greeter",kind="RestateDeployment"})");
  };
  CHECK(errors("AdminCallFailed") == "2");
  CHECK(errors("InternalError") == "1");
  CHECK_FALSE(Mentions(metrics, "PodNotReady"));
}

TEST_CASE("metrics: the series of an object go with it, those of others stay") {
  Metrics metrics;
  const kube::Key other{"test", "greeter"};
  for (const kube::Key& key : {kGreeter, other}) {
    metrics.Passes("RestateDeployment").Passed(key, seconds(0), MakeError(Reason::kApiConflict, "x"));
    metrics.Passes("RestateDeployment").Passed(key, seconds(0), MakeError(Reason::kInternalError, "x"));
    metrics.SetVersions(key, {{"Current", 1}, {"Draining", 2}}, 7);
  }
  metrics.Passes("RestateCluster").Passed(kGreeter, seconds(0), MakeError(Reason::kInternalError, "x"));
  metrics.Forget("RestateDeployment", kGreeter);
  metrics.Forget("RestateDeployment", kGreeter);  // twice does no harm
  CHECK_FALSE(Mentions(metrics, R"(instance="shop/greeter",kind="RestateDeployment")"));
  CHECK_FALSE(Mentions(metrics, R"(instance="shop/greeter",phase)"));
  CHECK_FALSE(Mentions(metrics, R"(pinned_invocations{instance="shop/greeter")"));
  CHECK(Mentions(metrics, R"(instance="shop/greeter",kind="RestateCluster")"));
  CHECK(Of(metrics, R"(restate_operator_deployment_pinned_invocations{instance="test/greeter"})") == "7");

  metrics.Passes("RestateDeployment").Passed(kGreeter, seconds(0), MakeError(Reason::kInternalError, "x"));
  CHECK(Of(metrics, R"(restate_operator_reconciliation_errors_total{error="InternalError",instance="shop/greeter",)"
                    R"(kind="RestateDeployment"})") == "1");  // a new object of the name starts anew
}

TEST_CASE("metrics: a phase without versions is not shown any more") {
  Metrics metrics;
  metrics.SetVersions(kGreeter, {{"Current", 1}, {"Draining", 2}}, 7);
  metrics.SetVersions(kGreeter, {{"Current", 1}}, 0);
  CHECK(Of(metrics, R"(restate_operator_deployment_versions{instance="shop/greeter",phase="Current"})") == "1");
  CHECK(Of(metrics, R"(restate_operator_deployment_pinned_invocations{instance="shop/greeter"})") == "0");
  CHECK_FALSE(Mentions(metrics, "Draining"));
}

// The names of the labels of a line `name{a="1",b="2"} value`, without a histogram's `le`.
std::set<std::string_view> LabelsIn(std::string_view line) {
  std::set<std::string_view> names;
  const auto open = line.find('{');
  if (open == std::string_view::npos) return names;
  line.remove_prefix(open + 1);
  for (auto equals = line.find("=\""); equals != std::string_view::npos; equals = line.find("=\"")) {
    if (const auto name = line.substr(0, equals); name != "le") names.insert(name);
    line.remove_prefix(std::min(line.find('"', equals + 2) + 1, line.size()));
    if (line.starts_with(",")) line.remove_prefix(1);
  }
  return names;
}

TEST_CASE("metrics: a series has the labels that its metric was declared with") {
  Metrics metrics;
  metrics.Queue("q").Added();
  metrics.Passes("RestateDeployment").Passed(kGreeter, seconds(1), MakeError(Reason::kInvalidSpec, "spec: no"));
  metrics.ApiRequests().OnRequest("get", 200, absl::Seconds(1));
  metrics.AdminRequests().Called({}, "register", 200, absl::Seconds(1));
  metrics.Watches().Listed(kube::kServices);
  metrics.Watches().Watched(kube::kServices);
  metrics.Watches().Failed(kube::kServices, absl::OkStatus());
  metrics.Watches().Skipped(kube::kServices, "x");
  metrics.SetCrdMissing("x", true);
  metrics.SetCacheObjects(kube::kServices, 3);
  metrics.SetLoad("RestateDeployment", {});
  metrics.SetVersions(kGreeter, {{"Current", 1}}, 3);
  const std::string text = metrics.Text();
  for (const Metric& metric : metrics.Declared()) {
    CAPTURE(metric.name);
    const std::string_view suffix = metric.type == "histogram" ? "_bucket" : "";
    const std::string begin = "\n" + metric.name + std::string(suffix);
    auto at = text.find(begin + "{");
    if (at == std::string::npos) at = text.find(begin + " ");
    REQUIRE(at != std::string::npos);
    const auto line = std::string_view(text).substr(at + 1, text.find('\n', at + 1) - at - 1);
    CHECK(LabelsIn(line) == std::set<std::string_view>(metric.labels.begin(), metric.labels.end()));
  }
}

TEST_CASE("metrics: what the layers below report") {
  Metrics metrics;
  runtime::QueueObserver& queue = metrics.Queue("restatedeployments");
  CHECK(&queue == &metrics.Queue("restatedeployments"));
  queue.Added();
  queue.Added();
  queue.Retried();
  queue.Depth(2);
  queue.Waited(milliseconds(3));
  metrics.Passes("RestateDeployment").Panicked(kGreeter);
  metrics.Passes("RestateDeployment").TimedOut(kGreeter);
  metrics.ApiRequests().OnRequest("apply", 409, absl::Milliseconds(2));
  metrics.ApiRequests().OnRequest("get", 0, absl::Seconds(30));
  metrics.AdminRequests().Called({}, "register", 200, absl::Milliseconds(20));
  metrics.SetCrdMissing("restatedeployments.restate.dev", true);
  metrics.SetCacheObjects(kube::kReplicaSets, 12);
  metrics.SetCacheObjects(kube::kServices, 3);
  metrics.SetLoad("RestateDeployment", {.running = 2, .unfinished = seconds(7), .longest = seconds(5)});
  const std::vector<std::pair<std::string, std::string>> expected = {
      {R"(workqueue_adds_total{queue="restatedeployments"})", "2"},
      {R"(workqueue_retries_total{queue="restatedeployments"})", "1"},
      {R"(workqueue_depth{queue="restatedeployments"})", "2"},
      {R"(workqueue_latency_seconds_bucket{queue="restatedeployments",le="0.001"})", "0"},
      {R"(workqueue_latency_seconds_bucket{queue="restatedeployments",le="0.005"})", "1"},
      {R"(panics_total{kind="RestateDeployment"})", "1"},
      {R"(reconcile_timeouts_total{kind="RestateDeployment"})", "1"},
      {R"(api_requests_total{code="409",verb="apply"})", "1"},
      {R"(api_requests_total{code="none",verb="get"})", "1"},
      {R"(api_request_duration_seconds_count{verb="apply"})", "1"},
      {R"(admin_requests_total{call="register",code="200"})", "1"},
      {R"(admin_request_duration_seconds_sum{call="register"})", "0.02"},
      {R"(crd_missing{crd="restatedeployments.restate.dev"})", "1"},
      {R"(cache_objects{resource="replicasets.apps"})", "12"},
      {R"(cache_objects{resource="services"})", "3"},
      {R"(reconcile_running{kind="RestateDeployment"})", "2"},
      {R"(reconcile_unfinished_seconds{kind="RestateDeployment"})", "7"},
      {R"(reconcile_longest_running_seconds{kind="RestateDeployment"})", "5"},
  };
  for (const auto& row : expected) {
    CAPTURE(row.first);
    CHECK(Of(metrics, "restate_operator_" + row.first) == row.second);
  }
  metrics.SetCrdMissing("restatedeployments.restate.dev", false);
  CHECK(Of(metrics, R"(restate_operator_crd_missing{crd="restatedeployments.restate.dev"})") == "0");
}

TEST_CASE("metrics: the first watch of a resource is no restart") {
  Metrics metrics;
  const std::string restarts = R"(restate_operator_watch_restarts_total{resource="replicasets.apps"})";
  metrics.Watches().Listed(kube::kReplicaSets);
  metrics.Watches().Watched(kube::kReplicaSets);
  CHECK(Of(metrics, restarts) == "0");
  metrics.Watches().Watched(kube::kServices);
  metrics.Watches().Failed(kube::kReplicaSets, absl::UnavailableError("x"));
  metrics.Watches().Watched(kube::kReplicaSets);
  CHECK(Of(metrics, restarts) == "1");
  CHECK(Of(metrics, R"(restate_operator_watch_failures_total{resource="replicasets.apps"})") == "1");
  CHECK(Of(metrics, R"(restate_operator_lists_total{resource="replicasets.apps"})") == "1");
}

TEST_CASE("metrics: counts from many threads while it is read and objects are forgotten") {
  Metrics metrics;
  constexpr int kThreads = 4, kPasses = 250;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&metrics, t] {
        runtime::PassObserver& passes = metrics.Passes("RestateDeployment");
        for (int i = 0; i < kPasses; ++i) {
          passes.Passed({"ns", std::to_string(i % 7)}, seconds(0), MakeError(Reason::kApiConflict, "x"));
          metrics.Queue(t % 2 == 0 ? "even" : "odd").Added();
          if (i % 10 == 0) metrics.Forget("RestateDeployment", {"ns", std::to_string(i % 7)});
          if (i % 50 == 0) CHECK_FALSE(metrics.Text().empty());
        }
      });
    }
  }
  CHECK(Of(metrics, "restate_operator_reconciliations_total") == std::to_string(kThreads * kPasses));
  CHECK(Of(metrics, R"(restate_operator_workqueue_adds_total{queue="odd"})") == std::to_string(kThreads / 2 * kPasses));
}

}  // namespace
}  // namespace restate::app

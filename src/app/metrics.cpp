#include "restate/app/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <functional>
#include <initializer_list>
#include <mutex>
#include <set>
#include <utility>

#include "restate/base/error.h"
#include "restate/base/guarded.h"

namespace restate::app {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
template <class T>
using Family = prometheus::Family<T>;

const Histogram::BucketBoundaries kPassBuckets{0.01, 0.1, 0.25, 0.5, 1, 5, 15, 60};  // a contract
const Histogram::BucketBoundaries kRequestBuckets{0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 60};

double Seconds(Clock::Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string CodeLabel(int code) { return code == 0 ? "none" : std::to_string(code); }

// "replicasets.apps", "services": as kubectl names a resource.
std::string ResourceLabel(const kube::Resource& resource) {
  std::string label(resource.plural);
  if (!resource.group.empty()) label.append(".").append(resource.group);
  return label;
}

using LabelNames = std::initializer_list<std::string_view>;

// Makes the families of one registry, each with the common prefix, and keeps a list of them.
class Factory {
 public:
  Factory(prometheus::Registry& registry, std::vector<Metric>& declared) : registry_(registry), declared_(declared) {}
  Family<Counter>& Counters(const char* name, LabelNames labels, const char* help) const {
    return Declare<Counter>(prometheus::BuildCounter(), "counter", name, labels, help);
  }
  Family<Gauge>& Gauges(const char* name, LabelNames labels, const char* help) const {
    return Declare<Gauge>(prometheus::BuildGauge(), "gauge", name, labels, help);
  }
  Family<Histogram>& Histograms(const char* name, LabelNames labels, const char* help) const {
    return Declare<Histogram>(prometheus::BuildHistogram(), "histogram", name, labels, help);
  }

 private:
  template <class T, class Builder>
  Family<T>& Declare(Builder builder, std::string_view type, const char* name, LabelNames labels,
                     const char* help) const {
    const std::string full = std::string("restate_operator_") + name;
    declared_.push_back({full, type, {labels.begin(), labels.end()}, help});
    return builder.Name(full).Help(help).Register(registry_);
  }

  prometheus::Registry& registry_;
  std::vector<Metric>& declared_;
};

// Series of a family that belong to an object, named by one more label, kept so that they can go when the object does.
template <class T>
class ObjectSeries {
 public:
  explicit ObjectSeries(Family<T>& family) : family_(family) {}

  T& At(const std::string& object, const Labels& labels) {
    T& series = family_.Add(labels);
    series_[object].insert({labels, &series});
    return series;
  }
  void Remove(const std::string& object) {
    const auto node = series_.extract(object);
    if (node.empty()) return;
    for (const auto& [labels, series] : node.mapped()) family_.Remove(series);
  }

 private:
  Family<T>& family_;
  std::map<std::string, std::map<Labels, T*>> series_;
};

struct QueueSeries final : runtime::QueueObserver {
  Counter &adds, &retries;
  Gauge& depth;
  Histogram& latency;
  QueueSeries(Counter& a, Counter& r, Gauge& d, Histogram& l) : adds(a), retries(r), depth(d), latency(l) {}
  void Added() override { adds.Increment(); }
  void Retried() override { retries.Increment(); }
  void Depth(std::size_t keys) override { depth.Set(static_cast<double>(keys)); }
  void Waited(Clock::Duration waited) override { latency.Observe(Seconds(waited)); }
};

struct WatchSeries final : runtime::ReflectorObserver {
  Family<Counter>&lists, &restarts, &failures, &skipped;
  std::mutex mutex;
  std::set<std::string> watched GUARDED_BY(mutex);
  explicit WatchSeries(const Factory& f)
      : lists(f.Counters("lists_total", {"resource"}, "Complete lists of a resource")),
        restarts(f.Counters("watch_restarts_total", {"resource"}, "Watches of a resource opened after its first")),
        failures(f.Counters("watch_failures_total", {"resource"}, "Lists and watches that failed")),
        skipped(f.Counters("undecodable_objects_total", {"resource"},
                           "Objects from the API server that could not be read")) {}

  void Listed(const kube::Resource& resource) override { Count(lists, resource); }
  void Failed(const kube::Resource& resource, const absl::Status&) override { Count(failures, resource); }
  void Skipped(const kube::Resource& resource, std::string_view) override { Count(skipped, resource); }
  void Watched(const kube::Resource& resource) override {
    const bool first = [&] {
      const std::lock_guard lock(mutex);
      return watched.insert(ResourceLabel(resource)).second;
    }();
    Counter& counter = restarts.Add({{"resource", ResourceLabel(resource)}});
    if (!first) counter.Increment();
  }
  static void Count(Family<Counter>& family, const kube::Resource& resource) {
    family.Add({{"resource", ResourceLabel(resource)}}).Increment();
  }
};

struct ApiSeries final : kube::ClientObserver {
  Family<Counter>& requests;
  Family<Histogram>& durations;
  explicit ApiSeries(const Factory& f)
      : requests(
            f.Counters("api_requests_total", {"verb", "code"}, "Requests to the API server; code none: no answer")),
        durations(f.Histograms("api_request_duration_seconds", {"verb"}, "Time to the API server's answer")) {}
  void OnRequest(std::string_view verb, int code, absl::Duration took) override {
    requests.Add({{"verb", std::string(verb)}, {"code", CodeLabel(code)}}).Increment();
    durations.Add({{"verb", std::string(verb)}}, kRequestBuckets).Observe(absl::ToDoubleSeconds(took));
  }
};

struct AdminSeries final : admin::AdminObserver {
  Family<Counter>& requests;
  Family<Histogram>& durations;
  explicit AdminSeries(const Factory& f)
      : requests(
            f.Counters("admin_requests_total", {"call", "code"}, "Calls on Restate's admin API; code none: no answer")),
        durations(f.Histograms("admin_request_duration_seconds", {"call"}, "Time to the admin API's answer")) {}
  void Called(const admin::Endpoint&, std::string_view call, int code, absl::Duration took) override {
    requests.Add({{"call", std::string(call)}, {"code", CodeLabel(code)}}).Increment();
    durations.Add({{"call", std::string(call)}}, kRequestBuckets).Observe(absl::ToDoubleSeconds(took));
  }
};

// The counts of the passes of one kind; the failures of single objects stay with their owner, which can forget them.
struct PassSeries final : runtime::PassObserver {
  using CountError = std::function<void(const kube::Key&, std::string_view error)>;
  Counter &passes, &panics, &timeouts;
  Histogram& durations;
  CountError count_error;
  PassSeries(Counter& p, Counter& n, Counter& t, Histogram& d, CountError e)
      : passes(p), panics(n), timeouts(t), durations(d), count_error(std::move(e)) {}
  void Passed(const kube::Key& key, Clock::Duration took, const absl::Status& status) override {
    passes.Increment();
    durations.Observe(Seconds(took));
    if (status.ok()) return;
    if (const auto error = RowOf(ReasonOf(status)).metric; !error.empty()) count_error(key, error);
  }
  void Panicked(const kube::Key&) override { panics.Increment(); }
  void TimedOut(const kube::Key&) override { timeouts.Increment(); }
};

std::string ObjectName(std::string_view kind, const kube::Key& key) { return std::string(kind) + " " + key.ToString(); }

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  std::vector<Metric> declared;
  Factory make{registry, declared};
  // Of all kinds together: the contract has no label here.
  Counter& passes = make.Counters("reconciliations_total", {}, "Passes over an object").Add({});
  Family<Counter>& panics = make.Counters("panics_total", {"kind"}, "Passes that ended in a bug of the operator");
  Family<Counter>& timeouts =
      make.Counters("reconcile_timeouts_total", {"kind"}, "Passes cancelled for taking too long");
  Family<Histogram>& pass_durations = make.Histograms("reconcile_duration_seconds", {"kind"}, "Time that a pass takes");
  Family<Gauge>& running = make.Gauges("reconcile_running", {"kind"}, "Passes under way");
  Family<Gauge>& unfinished =
      make.Gauges("reconcile_unfinished_seconds", {"kind"}, "Ages of the passes under way, added up");
  Family<Gauge>& longest =
      make.Gauges("reconcile_longest_running_seconds", {"kind"}, "Age of the oldest pass under way");
  Family<Counter>& queue_adds = make.Counters("workqueue_adds_total", {"queue"}, "Keys that became due");
  Family<Counter>& queue_retries = make.Counters("workqueue_retries_total", {"queue"}, "Keys put back after a failure");
  Family<Gauge>& queue_depth = make.Gauges("workqueue_depth", {"queue"}, "Keys due and not taken yet");
  Family<Histogram>& queue_latency = make.Histograms("workqueue_latency_seconds", {"queue"}, "Time from due to taken");
  Gauge& leader = make.Gauges("leader", {}, "1 while this operator acts; a standby has 0").Add({});
  Family<Gauge>& crd_missing = make.Gauges("crd_missing", {"crd"}, "1 while the CRD is not installed");
  Family<Gauge>& cache_objects = make.Gauges("cache_objects", {"resource"}, "Objects known of a watched resource");
  WatchSeries watches{make};
  ApiSeries api{make};
  AdminSeries admin{make};

  std::mutex mutex;
  std::map<std::string, QueueSeries, std::less<>> queues GUARDED_BY(mutex);
  std::map<std::string, PassSeries, std::less<>> kinds GUARDED_BY(mutex);
  ObjectSeries<Counter> errors GUARDED_BY(mutex){
      make.Counters("reconciliation_errors_total", {"kind", "instance", "error"}, "Passes that ended in an error")};
  ObjectSeries<Gauge> versions GUARDED_BY(mutex){
      make.Gauges("deployment_versions", {"instance", "phase"}, "Versions of a RestateDeployment")};
  ObjectSeries<Gauge> pinned GUARDED_BY(mutex){
      make.Gauges("deployment_pinned_invocations", {"instance"}, "Unfinished invocations pinned to a version")};

  void CountError(const std::string& kind, const kube::Key& key, std::string_view error) {
    const std::lock_guard lock(mutex);
    const Labels labels{{"kind", kind}, {"instance", key.ToString()}, {"error", std::string(error)}};
    errors.At(ObjectName(kind, key), labels).Increment();
  }
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
  impl_->make.Gauges("build_info", {"version"}, "The running version; always 1")
      .Add({{"version", RESTATE_OPERATOR_VERSION}})
      .Set(1);
}
Metrics::~Metrics() = default;

std::string Metrics::Text() const { return prometheus::TextSerializer().Serialize(impl_->registry.Collect()); }

const std::vector<Metric>& Metrics::Declared() const { return impl_->declared; }

runtime::QueueObserver& Metrics::Queue(std::string_view queue) {
  const std::lock_guard lock(impl_->mutex);
  if (const auto known = impl_->queues.find(queue); known != impl_->queues.end()) return known->second;
  const Labels labels{{"queue", std::string(queue)}};
  return impl_->queues
      .try_emplace(std::string(queue), impl_->queue_adds.Add(labels), impl_->queue_retries.Add(labels),
                   impl_->queue_depth.Add(labels), impl_->queue_latency.Add(labels, kRequestBuckets))
      .first->second;
}

runtime::PassObserver& Metrics::Passes(std::string_view kind) {
  const std::lock_guard lock(impl_->mutex);
  if (const auto known = impl_->kinds.find(kind); known != impl_->kinds.end()) return known->second;
  const std::string name(kind);
  const Labels labels{{"kind", name}};
  return impl_->kinds
      .try_emplace(name, impl_->passes, impl_->panics.Add(labels), impl_->timeouts.Add(labels),
                   impl_->pass_durations.Add(labels, kPassBuckets),
                   [impl = impl_.get(), name](const kube::Key& key, std::string_view error) {
                     impl->CountError(name, key, error);
                   })
      .first->second;
}

runtime::ReflectorObserver& Metrics::Watches() { return impl_->watches; }
kube::ClientObserver& Metrics::ApiRequests() { return impl_->api; }
admin::AdminObserver& Metrics::AdminRequests() { return impl_->admin; }

void Metrics::SetLeader(bool leads) { impl_->leader.Set(leads ? 1 : 0); }

void Metrics::SetCrdMissing(std::string_view crd, bool missing) {
  impl_->crd_missing.Add({{"crd", std::string(crd)}}).Set(missing ? 1 : 0);
}

void Metrics::SetCacheObjects(const kube::Resource& resource, std::size_t objects) {
  impl_->cache_objects.Add({{"resource", ResourceLabel(resource)}}).Set(static_cast<double>(objects));
}

void Metrics::SetLoad(std::string_view kind, const runtime::Controller::Load& load) {
  const Labels labels{{"kind", std::string(kind)}};
  impl_->running.Add(labels).Set(load.running);
  impl_->unfinished.Add(labels).Set(Seconds(load.unfinished));
  impl_->longest.Add(labels).Set(Seconds(load.longest));
}

void Metrics::SetVersions(const kube::Key& key, const std::map<std::string, int>& by_phase,
                          std::int64_t pinned_invocations) {
  const std::string object = ObjectName("RestateDeployment", key), instance = key.ToString();
  const std::lock_guard lock(impl_->mutex);
  impl_->versions.Remove(object);  // a phase that has no version any more shows none
  for (const auto& [phase, count] : by_phase) {
    impl_->versions.At(object, {{"instance", instance}, {"phase", phase}}).Set(count);
  }
  impl_->pinned.At(object, {{"instance", instance}}).Set(static_cast<double>(pinned_invocations));
}

void Metrics::Forget(std::string_view kind, const kube::Key& key) {
  const std::string object = ObjectName(kind, key);
  const std::lock_guard lock(impl_->mutex);
  impl_->errors.Remove(object);
  impl_->versions.Remove(object);
  impl_->pinned.Remove(object);
}

}  // namespace restate::app

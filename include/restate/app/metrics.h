// Metrics: the process's Prometheus series. The names are a contract: dashboards and alerts exist for them.
//
// It hands out the observers that the layers below report to. They live as long as it does, and everything here is
// thread safe. Whoever adds a series for an object removes it with Forget when the object is gone.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "restate/admin/client.h"
#include "restate/kube/client.h"
#include "restate/kube/resource.h"
#include "restate/runtime/controller.h"
#include "restate/runtime/reflector.h"
#include "restate/runtime/work_queue.h"

namespace restate::app {

// One metric as docs/metrics.md shows it.
struct Metric {
  std::string name;                      // with its prefix
  std::string_view type;                 // "counter", "gauge" or "histogram"
  std::vector<std::string_view> labels;  // a histogram has `le` besides
  std::string_view help;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The text exposition format, version 0.0.4, of all series.
  std::string Text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  // Every metric there is, whether it has a series yet or not.
  const std::vector<Metric>& Declared() const;

  // One observer per name; a second call with it returns the same. `kind`: "RestateDeployment".
  runtime::QueueObserver& Queue(std::string_view queue);
  runtime::PassObserver& Passes(std::string_view kind);
  runtime::ReflectorObserver& Watches();
  kube::ClientObserver& ApiRequests();
  admin::AdminObserver& AdminRequests();

  // What somebody counts elsewhere; the last value given is shown.
  void SetLeader(bool leads);
  void SetCrdMissing(std::string_view crd, bool missing);  // "restatedeployments.restate.dev"
  void SetCacheObjects(const kube::Resource& resource, std::size_t objects);
  void SetLoad(std::string_view kind, const runtime::Controller::Load& load);
  // Of one RestateDeployment: its versions by phase ("Current", "Draining", ...; a phase that is absent has none), and
  // the invocations pinned to them.
  void SetVersions(const kube::Key& key, const std::map<std::string, int>& by_phase, std::int64_t pinned_invocations);

  // The object is gone, and its series with it.
  void Forget(std::string_view kind, const kube::Key& key);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::app

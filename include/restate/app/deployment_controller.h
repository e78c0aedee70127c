// DeploymentController: the RestateDeployment controller with its watches, wired to the shared State.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "restate/admin/usage.h"
#include "restate/app/crd_gate.h"
#include "restate/app/state.h"
#include "restate/kube/applier.h"
#include "restate/plan/world.h"
#include "restate/runtime/controller.h"
#include "restate/runtime/reflector.h"
#include "restate/runtime/work_queue.h"

namespace restate::app {

// What every controller is given; all of it outlives the controller.
struct Shared {
  State& state;
  Clock& clock;
  kube::Client& client;
  kube::Applier& applier;
  kube::EventRecorder& events;
  runtime::Cache& cache;
  plan::StatusPublisher& statuses;
  admin::AdminClient& admin;
};

struct ControllerSettings {
  int workers = 8;
  std::string ns;   // empty: all namespaces
  json::Value pod;  // the operator's own pod, for events
};

class DeploymentController {
 public:
  // `fatal` is called, on a thread of the controller, when it can never start (rights are missing).
  DeploymentController(Shared shared, ControllerSettings settings, std::function<void(absl::Status)> fatal);
  ~DeploymentController();  // stops and joins

  // Waits in the background for the CRD, then for the caches, then takes work.
  void Start();
  // Whether it takes work.
  bool Ready() const { return ready_; }
  void RequestStop();
  bool Join(Clock::Duration limit);

  std::string_view name() const;
  // What it waits for before it is ready, or why a watch is in trouble; empty: nothing.
  std::string Trouble() const;
  // Brings the gauges up to date before a scrape.
  void Measure();

 private:
  void Run(std::stop_token stop);
  bool WaitForCaches(std::stop_token stop);
  runtime::Next Pass(const kube::Key& key, std::stop_token stop);
  // Whether passes wait for the first list.
  enum class Need : std::uint8_t { kRequired, kOptional };
  using KeysOf = std::function<std::vector<kube::Key>(const runtime::Change&)>;  // whom a change concerns
  void Watch(const kube::Resource& resource, std::string selector, KeysOf keys_of, Need need = Need::kRequired);

  Shared shared_;
  ControllerSettings settings_;
  std::function<void(absl::Status)> fatal_;
  runtime::WorkQueue queue_;
  admin::Usage usage_;
  runtime::Controller controller_;
  std::vector<kube::Resource> resources_;  // that passes wait for
  std::vector<std::unique_ptr<runtime::Reflector>> reflectors_;
  std::atomic<bool> ready_ = false;
  std::jthread starter_;
};

}  // namespace restate::app

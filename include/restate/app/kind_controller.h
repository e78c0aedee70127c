// KindController: the controller of one kind with its watches and its cache, wired to the shared State.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "restate/app/crd_gate.h"
#include "restate/app/leadership.h"
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
  const Leadership& leadership;
  Clock& clock;
  kube::Client& client;
  kube::EventRecorder& events;
  admin::AdminClient& admin;
  admin::Usage& usage;
  admin::NodeApi& node_client;
  admin::Nodes& nodes;
  plan::Secrets& secrets;
};

// Whom a change concerns.
using KeysOf = std::function<std::vector<kube::Key>(const runtime::Change&, const runtime::Cache&)>;

// Of changes that concern one object at the most.
KeysOf One(std::optional<kube::Key> (*key_of)(const runtime::Change&));

struct Watched {
  kube::Resource resource;
  std::string selector;  // label selector; empty: all
  KeysOf keys_of;
  // Not every installation has it: it is followed while its CRD is there. All objects of the kind have a pass when it
  // has come, and when it has gone.
  bool optional = false;
  bool needed = true;  // false: passes do without it until its first list is there, for ever if need be
  bool metadata_only = false;
  std::string ns = {};  // where the objects are; empty: the controller's namespace
};

// A kind: what is watched for it and what a pass does.
struct KindSetup {
  std::string_view name;
  kube::Resource resource;  // of its objects: nothing starts before the API server serves it
  std::vector<Watched> watches;
  std::function<runtime::Next(const kube::Key&, const plan::World&)> pass;
  // After each pass, with its error. Null: the object is gone.
  std::function<void(const kube::Key&, const kube::ObjectPtr&, const absl::Status&)> passed;
};

struct ControllerSettings {
  int workers = 8;
  std::string ns;   // empty: all namespaces
  json::Value pod;  // the operator's own pod, for events
};

class KindController {
 public:
  // `fatal` is called, on a thread of the controller, when it can never start (rights are missing).
  KindController(Shared shared, runtime::WorkQueue& queue, KindSetup setup, ControllerSettings settings,
                 std::function<void(absl::Status)> fatal);
  ~KindController();  // stops and joins

  // Waits in the background for the CRD, then for the caches, then until it leads, then takes work.
  void Start();
  // Whether it takes work, or would if it led.
  bool Ready() const { return ready_; }
  void RequestStop();
  bool Join(Clock::Duration limit);

  std::string_view name() const { return setup_.name; }
  // What it waits for before it is ready, or why a watch is in trouble; empty: nothing.
  std::string Trouble() const;
  // What it has seen last.
  const runtime::Cache& cache() const { return cache_; }
  // Brings the gauges up to date before a scrape.
  void Measure();

 private:
  struct Follower {
    Watched watched;
    std::unique_ptr<runtime::Reflector> reflector;
    std::atomic<bool> started = false;
    std::atomic<bool> listed = false;  // since it was started
  };

  std::string NamespaceOf(const Watched& watched) const;
  void Follow(const Watched& watched);
  void FollowDefinitions();
  void Changed(Follower& follower, const std::vector<runtime::Change>& changes, bool initial);
  void WakeAll();
  void DefinitionChanged(const runtime::Change& change);
  void Appear(Follower& follower);
  void Vanish(Follower& follower);
  void Run(std::stop_token stop);
  bool DefinitionsKnown();
  bool Awaited(const Follower& follower) const;
  bool WaitForCaches(std::stop_token stop);
  runtime::Next Pass(const kube::Key& key, std::stop_token stop);

  Shared shared_;
  runtime::WorkQueue& queue_;
  KindSetup setup_;
  ControllerSettings settings_;
  std::function<void(absl::Status)> fatal_;
  // Of its own: two kinds may watch the same resource by different labels.
  runtime::Cache cache_;
  kube::Applier applier_;
  plan::StatusPublisher statuses_;
  runtime::Controller controller_;
  std::vector<std::unique_ptr<Follower>> followers_;  // none is added after the constructor
  std::unique_ptr<runtime::Reflector> definitions_;   // null: nothing is optional
  std::atomic<bool> definitions_listed_ = false;      // and what they define is followed
  std::atomic<bool> ready_ = false;
  std::atomic<bool> leads_ = false;  // until then changes wake nobody: there is nobody to take the work
  std::jthread starter_;
};

}  // namespace restate::app

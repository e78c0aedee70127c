#include "restate/app/leadership.h"

#include <doctest/doctest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "fake/fake_api.h"
#include "restate/admin/node_client.h"
#include "restate/app/kind_controller.h"
#include "restate/base/error.h"

namespace restate::app {
namespace {

using json::Obj;
using json::Value;
using std::chrono::seconds;

const kube::Key kLease{"ours", "restate-operator"};

struct Server {
  fake::FakeApi api;
  Metrics metrics;

  Server() {
    api.CreateNamespace("ours");
    api.Serve(runtime::kLeases, {.status_subresource = false});
    api.Serve(kube::kConfigMaps, {.status_subresource = false});
  }
  std::unique_ptr<Leadership> New(Settings::LeaderElect choice, bool in_cluster) {
    Settings settings;
    settings.operator_namespace = "ours";
    settings.operator_pod_name = "pod";
    settings.leader_elect = choice;
    auto made =
        Leadership::New(settings, in_cluster, {.base_url = api.url()}, metrics, Clock::Real(), [](const auto&) {});
    REQUIRE(made.ok());
    return *std::move(made);
  }
  void HoldLease(const std::string& holder, int duration) {
    api.Add(runtime::kLeases, Obj({{"apiVersion", "coordination.k8s.io/v1"},
                                   {"kind", "Lease"},
                                   {"metadata", Obj({{"name", kLease.name}, {"namespace", kLease.ns}})},
                                   {"spec", Obj({{"holderIdentity", holder}, {"leaseDurationSeconds", duration}})}}));
  }
  void ReleaseLease() {
    api.Edit(runtime::kLeases, kLease, [](Value& lease) {
      lease["spec"]["holderIdentity"] = "";
      lease["spec"]["leaseDurationSeconds"] = 1;
    });
  }
  static Value ConfigMap(const std::string& name) {
    return Obj(
        {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", Obj({{"name", name}, {"namespace", "ours"}})}});
  }
};

TEST_CASE_FIXTURE(Server, "without an election this process leads from the start, and nobody is asked") {
  using Choice = Settings::LeaderElect;
  struct Row {
    Choice choice;
    bool in_cluster, elects;
  };
  for (const Row& row :
       {Row{Choice::kOff, true, false}, Row{Choice::kOff, false, false}, Row{Choice::kAuto, false, false},
        Row{Choice::kAuto, true, true}, Row{Choice::kOn, false, true}, Row{Choice::kOn, true, true}}) {
    const auto leadership = New(row.choice, row.in_cluster);
    CHECK(leadership->Elects() == row.elects);
    if (row.elects) continue;
    leadership->Start();
    CHECK(leadership->Await({}));
    CHECK(leadership->Leads());
    CHECK(leadership->Diagnosed() == Obj({{"election", false}, {"leads", true}}));
    leadership->Release();
  }
  CHECK(api.requests().empty());
}

TEST_CASE_FIXTURE(Server,
                  "the diagnostics page says who leads and since when, and every life has an identity of its own") {
  const auto leadership = New(Settings::LeaderElect::kOn, false), other = New(Settings::LeaderElect::kOn, false);
  leadership->Start();
  REQUIRE(leadership->Await({}));
  const Value page = leadership->Diagnosed();
  const std::string identity(page.StringAt({"identity"}));
  CHECK(identity.starts_with("pod_"));
  CHECK(identity != other->Diagnosed().StringAt({"identity"}));
  CHECK(page.StringAt({"holder"}) == identity);
  CHECK(page.StringAt({"lease"}) == "ours/restate-operator");
  CHECK(page.StringAt({"since"}) == api.Get(runtime::kLeases, kLease)->StringAt({"spec", "acquireTime"}));
  CHECK(page.BoolAt({"leads"}));
  leadership->Release();
  CHECK_FALSE(leadership->Leads());
  CHECK(api.Get(runtime::kLeases, kLease)->StringAt({"spec", "holderIdentity"}).empty());
}

// A controller of ConfigMaps, with everything that controllers share, and the keys of its passes.
struct Standby : Server {
  State state{};
  std::unique_ptr<Leadership> leadership = New(Settings::LeaderElect::kOn, false);
  std::unique_ptr<kube::HttpClient> http = leadership->Fenced(kube::NewHttpClient({.base_url = api.url()}).value());
  kube::Client client{*http};
  std::unique_ptr<kube::EventRecorder> events = kube::NewEventRecorder(client, Clock::Real(), "test");
  runtime::WorkQueue queue{Clock::Real()};
  admin::AdminClient admin{[](const std::string&) { return MakeError(Reason::kInternalError, "not asked"); }};
  admin::Usage usage{admin, Clock::Real(), [](const kube::Key&) {}};
  std::unique_ptr<admin::NodeApi> node_client = leadership->Fenced(std::make_unique<admin::NodeClient>());
  admin::Nodes nodes{*node_client, Clock::Real(), [](const kube::Key&) {}};
  plan::Secrets secrets{client};

  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::string> passes;

  KindController controller{
      {state, *leadership, Clock::Real(), client, *events, admin, usage, *node_client, nodes, secrets},
      queue,
      {.name = "ConfigMap",
       .resource = kube::kConfigMaps,
       .watches = {{.resource = kube::kConfigMaps,
                    .selector = {},
                    .keys_of =
                        [](const runtime::Change& change, const runtime::Cache&) {
                          return std::vector{(change.after ? change.after : change.before)->key()};
                        }}},
       .pass =
           [this](const kube::Key& key, const plan::World&) {
             const std::lock_guard lock(mutex);
             passes.insert(key.name);
             changed.notify_all();
             return runtime::Next::Forget();
           },
       .passed = {}},
      {.workers = 2, .ns = "ours", .pod = {}},
      [](const absl::Status&) {}};

  void AwaitPasses(const std::set<std::string>& wanted) {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, seconds(30), [&] { return passes == wanted; }));
  }
  void AwaitReady() {
    const auto deadline = Clock::Real().Now() + seconds(30);
    while (!controller.Ready() && Clock::Real().Now() < deadline) std::this_thread::yield();
    REQUIRE(controller.Ready());
  }
};

TEST_CASE_FIXTURE(Standby,
                  "a standby is ready and follows everything, works on nothing and writes nothing, until it leads") {
  HoldLease("somebody", 300);
  api.Add(kube::kConfigMaps, ConfigMap("before"));
  leadership->Start();
  controller.Start();
  AwaitReady();
  REQUIRE(api.AwaitWatches(kube::kConfigMaps, 1));
  REQUIRE(api.AwaitWatches(runtime::kLeases, 1));
  api.Add(kube::kConfigMaps, ConfigMap("meanwhile"));
  CHECK(leadership->Diagnosed().StringAt({"holder"}) == "somebody");
  CHECK(queue.depth() == 0);
  CHECK(ReasonOf(client.Create(kube::kConfigMaps, ConfigMap("mine"), "m", {}).status()) == Reason::kStopped);
  CHECK(ReasonOf(node_client->Provision("127.0.0.1:1", {})) == Reason::kStopped);
  events->Record({.regarding = ConfigMap("before"), .warning = true, .reason = "R", .action = "A", .note = "n"});
  events->Flush(absl::Seconds(30));
  CHECK(api.writes().empty());
  CHECK(passes.empty());

  ReleaseLease();
  AwaitPasses({"before", "meanwhile"});
  CHECK(leadership->Leads());
  CHECK(client.Create(kube::kConfigMaps, ConfigMap("mine"), "m", {}).ok());
  AwaitPasses({"before", "meanwhile", "mine"});
  controller.RequestStop();
  CHECK(controller.Join(seconds(30)));
}

}  // namespace
}  // namespace restate::app

// A process that ends after any single write, at Kubernetes or at Restate, leaves nothing that the next one does not
// finish. The writes are counted by the clean run, so that new ones are covered without anyone remembering.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "deployment/passes.h"
#include "instrumented.h"
#include "restate/json/text.h"

namespace restate::deployment {
namespace {

using json::Arr;
using json::Obj;
using std::chrono::seconds;

const kube::Key kKey{"default", "greeter"};
constexpr int kNever = 1'000'000;

json::Value Greeter(std::string_view image) {
  const auto labels = Obj({{"app", "greeter"}});
  return Obj(
      {{"apiVersion", "restate.dev/v1beta1"},
       {"kind", "RestateDeployment"},
       {"metadata", Obj({{"namespace", kKey.ns}, {"name", kKey.name}})},
       {"spec",
        Obj({{"replicas", 2},
             {"revisionHistoryLimit", 1},
             {"selector", Obj({{"matchLabels", labels}})},
             {"autoscaling", Obj({{"maxReplicas", 4}})},
             {"template", Obj({{"metadata", Obj({{"labels", labels}})},
                               {"spec", Obj({{"containers", Arr({Obj({{"name", "c"}, {"image", image}})})}})}})},
             {"restate", Obj({{"register", Obj({{"url", "http://127.0.0.1:9070"}})}, {"drainDelaySeconds", 3}})}})}});
}

// One object over the lives of several processes.
class Lives {
 public:
  Lives() : outside_(process_->stage.outside) {
    outside_->api.OnRequest([this](const fake::ApiRequest& request) { return Answer(request); });
  }

  // Passes until nothing happens any more, time going on, and with a new process whenever one has ended.
  void RunToTheEnd() {
    for (int round = 0; round < 8; ++round) {
      process_->Settle(kKey);
      while (ended_) {
        REQUIRE_MESSAGE(ends_ < 50, "no life gets anywhere; the last request was ", last_);
        Restart();
        process_->Settle(kKey);
      }
      CheckSafe();
      outside_->clock.Advance(seconds(4));
    }
  }
  // The process ends after so many further writes, and so does each of those that follow it.
  void EndAfter(int writes, bool each = false) {
    first_ = Writes();
    allowed_ = writes;
    each_ = each;
  }
  int Writes() const {
    const auto& admin = outside_->admin;
    return written_ + admin.Count(fake::AdminCall::kRegister) + admin.Count(fake::AdminCall::kForget);
  }
  int ends() const { return ends_; }

  void Roll(std::string_view image) {
    outside_->api.Edit(kRestateDeployments, kKey, [&](json::Value& cr) {
      cr["spec"]["template"]["spec"]["containers"].array()->front()["image"] = image;
    });
  }
  void Pin(const std::string& name) {
    const auto live = outside_->api.Get(kRestateDeployments, kKey);
    REQUIRE(live);
    outside_->admin.Start(name, {.service = "greeter.default",
                                 .status = "suspended",
                                 .pin = std::string(live->StringAt({"status", "deploymentId"}))});
  }
  void InstallKnative() {
    knative_ = true;
    process_->InstallKnative();
  }
  void Tag(std::string_view tag) {
    outside_->api.Edit(kRestateDeployments, kKey, [&](json::Value& cr) { cr["spec"]["knative"]["tag"] = tag; });
  }
  fake::FakeApi& api() { return outside_->api; }
  fake::FakeAdmin& admin() { return outside_->admin; }
  bool forced = false;  // work may be lost

  // All that is there, less what depends on the moment.
  std::string State() const {
    std::string state;
    std::vector<kube::Resource> resources{kRestateDeployments, kube::kReplicaSets, kube::kServices, kube::kAutoscalers};
    if (knative_) resources.insert(resources.end(), {kConfigurations, kRoutes});
    for (const kube::Resource& resource : resources) {
      for (json::Value object : outside_->api.List(resource)) state += Lasting(std::move(object)) + "\n";
    }
    for (const auto& [id, deployment] : outside_->admin.With([](auto& model) { return model.deployments(); })) {
      absl::StrAppend(&state, id, " ", deployment.uri, "\n");
    }
    return absl::StrCat(state, "latest ", outside_->admin.LatestOf("greeter.default"));
  }

 private:
  static std::string Lasting(json::Value object) {
    json::Value metadata = Obj({{"name", object.StringAt({"metadata", "name"})}});
    for (const char* member : {"annotations", "labels", "finalizers"}) {
      if (const json::Value* found = object["metadata"].Find(member)) metadata[member] = *found;
    }
    for (const auto date : {kRemoveVersionAtAnnotation, kRegisteredAtAnnotation}) {
      if (metadata.Find("annotations")) metadata["annotations"].Erase(date);
    }
    object["metadata"] = std::move(metadata);
    json::Value& status = object["status"];
    for (const char* list : {"conditions", "versions"}) {
      json::Array* items = status.Find(list) ? status[list].array() : nullptr;
      if (!items) continue;
      for (json::Value& item : *items) {
        item.Erase("lastTransitionTime");
        item.Erase("removedAt");
      }
    }
    return json::Dump(object);
  }

  std::optional<fake::Fault> Answer(const fake::ApiRequest& request) {
    if (!ended_ && Writes() - first_ >= allowed_) End();
    if (ended_) return fake::Fault::DropBefore();
    if (request.method == "GET") return std::nullopt;
    ++written_;
    last_ = absl::StrCat(request.method, " ", request.path);
    // The answer still reaches the process; nothing it sends after that leaves the machine.
    if (Writes() - first_ >= allowed_)
      outside_->api.AfterWrite(
          1, [this] { End(); }, fake::FakeApi::When::kCommitted);
    return std::nullopt;
  }
  void End() {
    ended_ = true;
    ++ends_;
    for (const auto call : {fake::AdminCall::kRegister, fake::AdminCall::kForget, fake::AdminCall::kQuery}) {
      outside_->admin.Break(call, {.kind = fake::AdminFault::Kind::kReset});
    }
  }
  void Restart() {
    process_ = std::make_unique<Passes>(outside_);
    if (knative_) process_->WatchKnative();
    outside_->admin.Heal();
    ended_ = false;
    if (each_) {
      first_ = Writes();
    } else {
      allowed_ = kNever;
    }
  }

  // No version with work has lost pods or its registration.
  void CheckSafe() {
    if (forced) return;
    for (const json::Value& set : outside_->api.List(kube::kReplicaSets)) {
      const std::string id(set.StringAt({"metadata", "annotations", kDeploymentIdAnnotation}));
      const int used = outside_->admin.With([&](auto& model) { return model.InUse(id); });
      if (used > 0) CHECK(set.IntAt({"spec", "replicas"}) == 2);
    }
    if (knative_) {
      for (const json::Value& configuration : outside_->api.List(kConfigurations)) CheckAlive(configuration);
    }
    CHECK(outside_->admin.UnsafeForgets().empty());
  }
  void CheckAlive(const json::Value& configuration) {
    const std::string id(configuration.StringAt({"metadata", "annotations", kDeploymentIdAnnotation}));
    const int used = outside_->admin.With([&](auto& model) { return model.InUse(id); });
    if (used > 0) CHECK(!configuration.FindPath({"metadata", "deletionTimestamp"}));
  }

  bool knative_ = false;
  std::unique_ptr<Passes> process_ = std::make_unique<Passes>();
  std::shared_ptr<plan::Outside> outside_;
  std::atomic<bool> ended_ = false;
  std::atomic<int> written_ = 0, ends_ = 0;
  std::string last_;
  int first_ = 0, allowed_ = kNever;
  bool each_ = false;
};

struct Scenario {
  const char* name;
  std::function<void(Lives&)> prepare, act;
};

void Deploy(Lives& lives) {
  lives.api().Add(kRestateDeployments, Greeter("i:v1"));
  lives.RunToTheEnd();
}

void DeployAndDrain(Lives& lives) {
  Deploy(lives);
  lives.Roll("i:v2");
  lives.RunToTheEnd();
}

// The same in Knative mode, a version per tag.
json::Value KnativeGreeter() {
  json::Value cr = Greeter("i:v1");
  json::Value& spec = cr["spec"];
  spec.Erase("autoscaling");
  spec["deploymentMode"] = "knative";
  spec["knative"] = Obj({{"tag", "blue"}});
  spec["revisionHistoryLimit"] = 0;
  spec["template"]["spec"]["containers"].array()->front()["ports"] =
      Arr({Obj({{"name", "h2c"}, {"containerPort", 9080}})});
  return cr;
}

void DeployOnKnative(Lives& lives) {
  lives.InstallKnative();
  lives.api().Add(kRestateDeployments, KnativeGreeter());
  lives.RunToTheEnd();
}

const Scenario kScenarios[] = {
    {"first deploy on Knative", [](Lives& lives) { lives.InstallKnative(); },
     [](Lives& lives) { lives.api().Add(kRestateDeployments, KnativeGreeter()); }},
    {"another tag on Knative, with work on the old one",
     [](Lives& lives) {
       DeployOnKnative(lives);
       lives.Pin("long");
     },
     [](Lives& lives) { lives.Tag("green"); }},
    {"the old tag on Knative drains and goes",
     [](Lives& lives) {
       DeployOnKnative(lives);
       lives.Pin("long");
       lives.Tag("green");
       lives.RunToTheEnd();
     },
     [](Lives& lives) { lives.admin().Complete("long"); }},
    {"deletion on Knative", DeployOnKnative, [](Lives& lives) { lives.api().MarkDeleted(kRestateDeployments, kKey); }},
    {"first deploy", [](Lives&) {}, [](Lives& lives) { lives.api().Add(kRestateDeployments, Greeter("i:v1")); }},
    {"rollout with work on the old version",
     [](Lives& lives) {
       Deploy(lives);
       lives.Pin("long");
     },
     [](Lives& lives) { lives.Roll("i:v2"); }},
    {"drain, with the history limit reached",
     [](Lives& lives) {
       DeployAndDrain(lives);
       lives.Pin("long");
       lives.Roll("i:v3");
       lives.RunToTheEnd();
     },
     [](Lives& lives) { lives.admin().Complete("long"); }},
    {"rollback with work on the newer version",
     [](Lives& lives) {
       DeployAndDrain(lives);
       lives.Pin("long");
     },
     [](Lives& lives) { lives.Roll("i:v1"); }},
    {"deletion", DeployAndDrain, [](Lives& lives) { lives.api().MarkDeleted(kRestateDeployments, kKey); }},
    {"forced deletion with work",
     [](Lives& lives) {
       DeployAndDrain(lives);
       lives.Pin("long");
       lives.api().Edit(kRestateDeployments, kKey,
                        [](json::Value& cr) { cr["spec"]["restate"]["deletePolicy"] = "force"; });
       lives.RunToTheEnd();
     },
     [](Lives& lives) {
       lives.forced = true;
       lives.api().MarkDeleted(kRestateDeployments, kKey);
     }},
};

struct End {
  std::string state;
  int writes = 0;
};

End RunCleanly(const Scenario& scenario) {
  Lives lives;
  scenario.prepare(lives);
  const int before = lives.Writes();
  scenario.act(lives);
  lives.RunToTheEnd();
  return {lives.State(), lives.Writes() - before};
}

TEST_CASE("F-K1: ended after any single write") {
  for (std::size_t i = kInstrumented ? 1 : 0; i < std::size(kScenarios); i += kInstrumented ? 3 : 1) {
    const Scenario& scenario = kScenarios[i];
    CAPTURE(std::string(scenario.name));
    const End clean = RunCleanly(scenario);
    REQUIRE(clean.writes > 2);
    const int first = kInstrumented ? clean.writes / 2 : 1;  // one in the middle; or each
    for (int k = first; k <= clean.writes; k += kInstrumented ? clean.writes : 1) {
      CAPTURE(k);
      Lives lives;
      scenario.prepare(lives);
      scenario.act(lives);
      lives.EndAfter(k);
      lives.RunToTheEnd();
      CHECK(lives.ends() == 1);
      CHECK(lives.State() == clean.state);
    }
  }
}

TEST_CASE("F-K4: ended after every single write, each life makes progress") {
  for (std::size_t i = 0; i < std::size(kScenarios); i += kInstrumented ? 6 : 1) {
    const Scenario& scenario = kScenarios[i];
    CAPTURE(std::string(scenario.name));
    const End clean = RunCleanly(scenario);
    Lives lives;
    scenario.prepare(lives);
    scenario.act(lives);
    lives.EndAfter(1, true);
    lives.RunToTheEnd();
    CHECK(lives.ends() <= clean.writes + 4);  // statuses that nobody waits for are gathered in a long life
    CHECK(lives.State() == clean.state);
  }
}

}  // namespace
}  // namespace restate::deployment

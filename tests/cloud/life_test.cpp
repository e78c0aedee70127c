// Whole passes over a fake API server: from nothing to a tunnel, tokens that change, hands that change things.
#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "absl/strings/escaping.h"
#include "captured_log.h"
#include "cloud/scene.h"
#include "plan/stage.h"
#include "restate/base/digest.h"
#include "restate/json/text.h"

namespace restate::cloud {
namespace {

using json::Arr;
using json::Obj;

const kube::Key kEast{"", "east"};
const kube::Key kTunnel{"operator", "tunnel-east"};
const kube::Key kToken{"operator", "tok"};
const kube::Resource kEnvironments = kRestateCloudEnvironments;

class Life {
 public:
  Life() {
    stage.config.operator_namespace = "operator";
    stage.api.Serve(kEnvironments);
    stage.api.CreateNamespace("operator");
    json::Value environment = Scene().cr();
    environment["metadata"] = Obj({{"name", "east"}});
    stage.api.Add(kEnvironments, environment);
  }

  void SetToken(std::string_view token, std::string_view key = "t") {
    const json::Value data = Obj({{key, absl::Base64Escape({token.data(), token.size()})}});
    if (stage.api.Edit(kube::kSecrets, kToken, [&](json::Value& secret) { secret["data"] = data; })) return;
    stage.api.Add(kube::kSecrets, Obj({{"apiVersion", "v1"},
                                       {"kind", "Secret"},
                                       {"metadata", Obj({{"namespace", "operator"}, {"name", "tok"}})},
                                       {"data", data}}));
  }

  // As after every watch event was delivered: metadata of Secrets alone, and of the rest what carries our labels.
  void Sync() {
    stage.Sync();
    std::vector<kube::ObjectPtr> secrets;
    for (json::Value secret : stage.api.List(kube::kSecrets)) {
      secret.Erase("data");
      secrets.push_back(Make(secret));
    }
    stage.cache.Replace(kube::kSecrets, std::move(secrets), stage.api.resource_version());
    for (const kube::Resource& resource : {kube::kDeployments, kube::kServices}) {
      std::vector<kube::ObjectPtr> ours;
      for (const json::Value& body : stage.api.List(resource)) {
        if (body.StringAt({"metadata", "labels", kNameLabel}) == kTunnelClient) ours.push_back(Make(body));
      }
      stage.cache.Replace(resource, std::move(ours), stage.api.resource_version());
    }
  }

  runtime::Next Pass() { return plan::Reconcile<Kind>(kEast, stage.MakeWorld()); }

  // Passes until nothing is to be done at once; what was written.
  std::vector<std::string> Settle() {
    stage.api.ClearRequests();
    for (int i = 0; i < 10; ++i) {
      Sync();
      const runtime::Next next = Pass();
      if (next.at_once || (next.error.ok() && next.after == Clock::Duration::zero())) continue;
      if (RowOf(ReasonOf(next.error)).error_class == ErrorClass::kLostRace && !next.error.ok()) continue;
      stage.clock.Advance(std::chrono::seconds(10));  // statuses that nobody waits for
      Pass();
      return Writes();
    }
    FAIL("it does not settle");
    return {};
  }

  std::vector<std::string> Writes() {
    std::vector<std::string> writes;
    for (const fake::ApiRequest& request : stage.api.writes()) {
      writes.push_back(request.method + " " + request.plural +
                       (request.subresource.empty() ? "" : "/" + request.subresource));
    }
    return writes;
  }

  json::Value Deployment() { return stage.api.Get(kube::kDeployments, kTunnel).value_or(json::Value()); }
  std::string Ready() {
    const auto environment = stage.api.Get(kEnvironments, kEast);
    const json::Value* conditions = environment->FindPath({"status", "conditions"});
    if (!conditions) return "nothing";
    for (const json::Value& condition : *conditions->array()) {
      if (condition.StringAt({"type"}) != "Ready") continue;
      return std::string(condition.StringAt({"status"})) + " " + std::string(condition.StringAt({"reason"}));
    }
    return "nothing";
  }

  plan::Stage stage{{kEnvironments, kube::kPods}};
};

const std::vector<std::string> kNothing;

TEST_CASE("from nothing to Ready in four writes, and then none") {
  Life life;
  life.SetToken("one");
  CHECK(life.Settle() == std::vector<std::string>{"PATCH restatecloudenvironments", "PATCH services",
                                                  "PATCH deployments", "PATCH restatecloudenvironments/status"});
  CHECK(life.Ready() == "True Reconciled");
  CHECK(life.Settle() == kNothing);
}

TEST_CASE("F-SEC1: a Secret that comes, loses its key, changes, goes and comes back") {
  Life life;
  life.Settle();
  CHECK(life.Ready() == "False SecretNotFound");
  CHECK(life.Deployment().is_null());
  life.SetToken("one", "other");
  life.Settle();
  CHECK(life.Ready() == "False SecretKeyNotFound");
  life.SetToken("one");
  life.Settle();
  CHECK(life.Ready() == "True Reconciled");
  const json::Value before = life.Deployment();
  CHECK(before.StringAt({"metadata", "annotations", kTokenDigestAnnotation}) == Sha256Hex("one").substr(0, 16));

  life.SetToken("two\n");
  life.Settle();
  const json::Value rolled = life.Deployment();
  CHECK(rolled.IntAt({"metadata", "generation"}) == before.IntAt({"metadata", "generation"}) + 1);
  CHECK(rolled.StringAt({"spec", "template", "metadata", "annotations", kTokenDigestAnnotation}) ==
        Sha256Hex("two").substr(0, 16));
  life.SetToken("two");  // the same token
  CHECK(life.Settle() == kNothing);

  life.SetToken("a\r\nb");
  life.Settle();
  CHECK(life.Ready() == "False InvalidBearerToken");
  life.stage.api.Remove(kube::kSecrets, kToken);
  life.Settle();
  CHECK(life.Ready() == "False SecretNotFound");
  CHECK(life.Deployment() == rolled);
  life.SetToken("two");
  life.Settle();
  CHECK(life.Ready() == "True Reconciled");
  CHECK(life.Deployment() == rolled);
}

TEST_CASE("a Secret is asked for when it has changed, and no other Secret ever") {
  Life life;
  life.SetToken("one");
  life.stage.api.Add(kube::kSecrets, Obj({{"apiVersion", "v1"},
                                          {"kind", "Secret"},
                                          {"metadata", Obj({{"namespace", "operator"}, {"name", "another"}})}}));
  life.Settle();
  int asked = 0;
  for (const fake::ApiRequest& request : life.stage.api.requests()) {
    if (request.plural != "secrets") continue;
    CHECK(request.name == "tok");
    ++asked;
  }
  CHECK(asked == 1);
}

TEST_CASE("what somebody changes is put back, labels too, and what nobody declared stays") {
  Life life;
  life.SetToken("one");
  life.Settle();
  const json::Value before = life.Deployment();
  life.stage.api.Edit(kube::kDeployments, kTunnel, [](json::Value& deployment) {
    deployment["metadata"]["labels"] = Obj({{"mine", "1"}});
    (*deployment["spec"]["template"]["spec"]["containers"].array())[0]["image"] = "other";
    deployment["spec"]["paused"] = true;
  });
  CHECK(life.Settle() == std::vector<std::string>{"PATCH deployments"});
  json::Value after = life.Deployment();
  CHECK(after.StringAt({"metadata", "labels", "mine"}) == "1");
  CHECK(after.BoolAt({"spec", "paused"}));
  CHECK(after.StringAt({"metadata", "labels", kNameLabel}) == kTunnelClient);
  CHECK(*after.FindPath({"spec", "template"}) == *before.FindPath({"spec", "template"}));
  life.stage.api.Remove(kube::kServices, kTunnel);
  CHECK(life.Settle() == std::vector<std::string>{"PATCH services"});
}

TEST_CASE("S7: what somebody else has under the tunnel's name is left alone, until it goes") {
  for (const kube::Resource& resource : {kube::kDeployments, kube::kServices}) {
    CAPTURE(std::string(resource.plural));
    Life life;
    life.SetToken("one");
    json::Value theirs = Obj({{"apiVersion", resource.ApiVersion()},
                              {"kind", resource.kind},
                              {"metadata", Obj({{"namespace", "operator"}, {"name", "tunnel-east"}})}});
    if (resource == kube::kDeployments) {
      const json::Value labels = Obj({{"a", "b"}});
      theirs["spec"] = Obj({{"selector", Obj({{"matchLabels", labels}})},
                            {"template", Obj({{"metadata", Obj({{"labels", labels}})},
                                              {"spec", Obj({{"containers", Arr({Obj({{"name", "c"}})})}})}})}});
    }
    const json::Value stored = life.stage.api.Add(resource, theirs);
    CHECK(life.Settle() == std::vector<std::string>{"PATCH restatecloudenvironments/status"});
    CHECK(life.Ready() == "False NameTaken");
    CHECK(*life.stage.api.Get(resource, kTunnel) == stored);
    CHECK(life.Settle() == kNothing);
    life.stage.api.Remove(resource, kTunnel);
    life.Settle();
    CHECK(life.Ready() == "True Reconciled");
  }
}

TEST_CASE("a deleted object is let go of, and its tunnel goes with it") {
  Life life;
  life.SetToken("one");
  life.Settle();
  life.stage.api.MarkDeleted(kEnvironments, kEast);
  CHECK(life.Settle() == std::vector<std::string>{"PATCH restatecloudenvironments"});
  CHECK_FALSE(life.stage.api.Get(kEnvironments, kEast));
  life.stage.api.CollectGarbage();
  CHECK(life.Deployment().is_null());
  CHECK(life.stage.events.Reasons() == std::vector<std::string>{"DeleteRequested"});
}

TEST_CASE("X1: no token in anything that a pass says or writes") {
  const CapturedLog log;
  Life life;
  std::string said;
  std::set<std::string> hidden;
  const auto settle = [&](std::string_view token) {
    if (!token.empty()) life.SetToken(token);
    life.Settle();
    for (const fake::ApiRequest& request : life.stage.api.requests()) said += request.target + request.body + "\n";
    said += json::Dump(*life.stage.api.Get(kEnvironments, kEast)) + json::Dump(life.Deployment());
    said += json::Dump(life.stage.diagnostics.ToJson(10));
    said += std::string(restate::MessageOf(life.Pass().error));
    if (token.empty()) return;
    hidden.insert(std::string(token));
    hidden.insert(absl::Base64Escape({token.data(), token.size()}));
  };
  settle("");
  for (const std::string_view token : {"canary-1-0123456789", "canary-2-0123456789\n", "canary-3\r\nX-Header: 1",
                                       "canary-4 with blanks", "canary-5\xff\xfe"}) {
    settle(token);
  }
  settle("canary-6-0123456789");
  for (const kube::Event& event : life.stage.events.events) said += event.reason + event.note;
  said += log.text();
  for (const std::string& text : hidden) CHECK_MESSAGE(said.find(text) == std::string::npos, text);
  CHECK(said.find("canary") == std::string::npos);
  CHECK(said.find("InvalidBearerToken") != std::string::npos);
}

}  // namespace
}  // namespace restate::cloud

#include "restate/kube/applier.h"

#include <doctest/doctest.h>

#include "fake_http.h"
#include "golden.h"
#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/kube/quantity.h"

namespace restate::kube {
namespace {

using testing::Golden;
using testing::GoldenObject;

constexpr const char* kManager = "restate-operator";

// --- Objects as a server stores them, and what was applied to get them.

json::Value Parsed(const std::string& text) {
  auto value = json::Parse(text);
  REQUIRE(value.ok());
  return *std::move(value);
}

// The part of `live` that a field set names: what its manager must have applied.
json::Value Extract(const json::Value& live, const json::Value& fields) {
  if (fields.object()->empty()) return live;
  if (live.is_array()) {
    json::Array items;
    for (const json::Value& item : *live.array()) {
      for (const auto& [name, child] : *fields.object()) {
        if (!name.starts_with("k:")) continue;
        bool match = true;
        const json::Value keys = Parsed(name.substr(2));
        for (const auto& [key, value] : *keys.object())
          match = match && item.Find(key) != nullptr && *item.Find(key) == value;
        if (match) items.push_back(Extract(item, child));
      }
    }
    return items;
  }
  json::Value part = json::Object();
  bool whole = true;
  for (const auto& [name, child] : *fields.object()) {
    if (!name.starts_with("f:")) continue;
    whole = false;
    const json::Value* member = live.Find(name.substr(2));
    // Server-side empty maps and zero values vanish; they were applied as such.
    part[name.substr(2)] = member == nullptr ? json::Value(json::Object()) : Extract(*member, child);
  }
  return whole ? live : part;
}

const json::Value* ApplyEntry(const json::Value& live) {
  for (const json::Value& entry : *live.FindPath({"metadata", "managedFields"})->array()) {
    if (entry.StringAt({"manager"}) == kManager && entry.StringAt({"operation"}) == "Apply") return &entry;
  }
  return nullptr;
}

json::Value DesiredFor(const json::Value& live, const json::Value& entry) {
  json::Value desired = Extract(live, *entry.Find("fieldsV1"));
  for (const char* name : {"apiVersion", "kind"}) desired[name] = *live.Find(name);
  for (const char* name : {"name", "namespace"}) {
    if (const json::Value* value = live.FindPath({"metadata", name})) desired["metadata"][name] = *value;
  }
  return desired;
}

std::vector<json::Value> AppliedObjects() {
  std::vector<json::Value> objects;
  for (const char* file : {"d-min", "storage", "scheduling", "ce-full", "kn-tag", "minimal", "config"}) {
    const json::Value recording = Golden(file);
    for (const json::Value& recorded : *recording.Find("objects")->array()) {
      json::Value object = recorded;
      testing::UsePlaceholderOwner(object);
      if (ApplyEntry(object) != nullptr) objects.push_back(object);
    }
  }
  REQUIRE(objects.size() > 40);
  return objects;
}

// Calls `visit` with every scalar of a value, and lets it be changed.
template <class Visit>
void EachScalar(json::Value& value, const std::string& path, const Visit& visit) {
  if (json::Object* object = value.object()) {
    for (auto& [name, member] : *object) EachScalar(member, path + "." + name, visit);
  } else if (json::Array* array = value.array()) {
    for (std::size_t i = 0; i < array->size(); ++i)
      EachScalar((*array)[i], path + "[" + std::to_string(i) + "]", visit);
  } else {
    visit(value, path);
  }
}

json::Value Changed(const json::Value& scalar) {
  if (const auto* flag = scalar.get<bool>()) return !*flag;
  if (const auto* number = scalar.get<std::int64_t>()) return *number + 1;
  if (const auto* text = scalar.get<std::string>()) return *text + "x";
  return 1;
}

// A Deployment-like object whose Apply entry owns exactly `fields` under spec.
json::Value Live(const std::string& spec, const std::string& fields, const std::string& extra_entries = "") {
  return Parsed(
      R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"x","namespace":"n","uid":"u","resourceVersion":"1",
      "managedFields":[{"manager":"restate-operator","operation":"Apply","apiVersion":"apps/v1","fieldsType":"FieldsV1",
      "fieldsV1":{"f:spec":)" +
      fields + "}}" + extra_entries + R"(]},"spec":)" + spec + "}");
}

json::Value Desired(const std::string& spec) {
  return Parsed(R"({"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"x","namespace":"n"},"spec":)" +
                spec + "}");
}

bool NoOp(const std::string& desired_spec, const std::string& live_spec, const std::string& fields) {
  return IsNoOpApply(Desired(desired_spec), Live(live_spec, fields), kManager);
}

// --- Recorded objects

TEST_CASE("A7: what was applied to a recorded object changes nothing when applied again") {
  for (const json::Value& live : AppliedObjects()) {
    CAPTURE(live.StringAt({"kind"}));
    CAPTURE(live.StringAt({"metadata", "name"}));
    CHECK(IsNoOpApply(DesiredFor(live, *ApplyEntry(live)), live, kManager));
  }
}

TEST_CASE("A2: any changed or left out value of a recorded object makes an apply necessary") {
  for (const json::Value& live : AppliedObjects()) {
    const json::Value desired = DesiredFor(live, *ApplyEntry(live));
    std::vector<std::string> paths;
    json::Value changing = desired;
    EachScalar(changing, "", [&](json::Value& scalar, const std::string& path) {
      const json::Value before = scalar;
      scalar = Changed(before);
      CAPTURE(path);
      CHECK_FALSE(IsNoOpApply(changing, live, kManager));
      scalar = before;
    });
    if (desired.Find("spec") == nullptr) continue;
    for (const auto& entry : *desired.Find("spec")->object()) {
      const std::string name = entry.first;
      json::Value without = desired;
      without["spec"].Erase(name);
      CAPTURE(name);
      CHECK_FALSE(IsNoOpApply(without, live, kManager));
    }
  }
}

TEST_CASE("the recorded managers of a ReplicaSet: annotations, an empty map, and replicas through scale") {
  const json::Value live = GoldenObject("d-min", "ReplicaSet");
  const json::Value base =
      json::Obj({{"apiVersion", "apps/v1"},
                 {"kind", "ReplicaSet"},
                 {"metadata", json::Obj({{"name", live.StringAt({"metadata", "name"})}, {"namespace", "default"}})}});
  json::Value id = base;
  id["metadata"]["annotations"] = json::Obj({{"restate.dev/deployment-id", "dp_0f5d77e98c1e68a4de79a075a6"}});
  CHECK(IsNoOpApply(id, live, "restate-operator/deployment-id"));
  id["metadata"]["annotations"]["restate.dev/deployment-id"] = "dp_other";
  CHECK_FALSE(IsNoOpApply(id, live, "restate-operator/deployment-id"));
  CHECK_FALSE(IsNoOpApply(base, live, "restate-operator/deployment-id"));  // would remove the annotation

  json::Value empty = base;
  empty["metadata"]["annotations"] = json::Object();
  CHECK(IsNoOpApply(empty, live, "restate-operator/propagate-annotations"));
  CHECK(IsNoOpApply(base, live, "restate-operator/propagate-annotations"));

  json::Value scale = json::Obj({{"apiVersion", "autoscaling/v1"},
                                 {"kind", "Scale"},
                                 {"metadata", *base.Find("metadata")},
                                 {"spec", json::Obj({{"replicas", 1}})}});
  CHECK(IsNoOpApply(scale, live, "restate-operator/propagate-replicas", "scale"));
  CHECK_FALSE(IsNoOpApply(scale, live, "restate-operator/propagate-replicas"));  // another subresource, another entry
  scale["spec"]["replicas"] = 2;
  CHECK_FALSE(IsNoOpApply(scale, live, "restate-operator/propagate-replicas", "scale"));
}

TEST_CASE("A3: an object that was created by POST is taken over by an apply, once") {
  // The recorded ReplicaSet: manager restate-operator owns it by Update, with all the server's defaults.
  const json::Value live = GoldenObject("d-min", "ReplicaSet");
  json::Value desired = live;
  desired["metadata"].Erase("managedFields");
  desired.Erase("status");
  desired["spec"]["template"]["spec"].Erase("dnsPolicy");
  CHECK_FALSE(IsNoOpApply(desired, live, kManager));
  // One that owns nothing by Update but what is desired needs no apply; one that nobody of ours owns does.
  json::Value updated = Live(R"({"replicas":1})", R"({"f:replicas":{}})");
  updated["metadata"]["managedFields"].array()->at(0)["operation"] = "Update";
  CHECK(IsNoOpApply(Desired(R"({"replicas":1})"), updated, kManager));
  CHECK_FALSE(IsNoOpApply(Desired("{}"), updated, kManager));
  CHECK_FALSE(IsNoOpApply(Desired(R"({"replicas":1})"), updated, "another"));
  updated["metadata"].Erase("managedFields");
  CHECK_FALSE(IsNoOpApply(Desired(R"({"replicas":1})"), updated, kManager));
}

// --- Each rule by itself

TEST_CASE("A7: defaults of the server and fields of others do not matter") {
  CHECK(NoOp(R"({"a":{"b":1}})", R"({"a":{"b":1,"defaulted":"x"},"others":[1]})", R"({"f:a":{"f:b":{}}})"));
}

TEST_CASE("A2: a field that we own and do not want any more needs an apply") {
  CHECK_FALSE(NoOp(R"({"a":{"b":1}})", R"({"a":{"b":1,"c":2}})", R"({"f:a":{"f:b":{},"f:c":{}}})"));
  CHECK(NoOp(R"({"a":{"b":1}})", R"({"a":{"b":1,"c":2}})", R"({"f:a":{"f:b":{}}})"));  // c is somebody else's
}

TEST_CASE("A7: an empty map or list is the same as none, in both directions") {
  CHECK(NoOp(R"({"a":{},"l":[]})", "{}", R"({"f:a":{},"f:l":{}})"));
  CHECK(NoOp(R"({"a":{},"l":[]})", R"({"a":{},"l":[]})", R"({"f:a":{},"f:l":{}})"));
  CHECK(NoOp(R"({"a":null})", "{}", "{}"));
  CHECK_FALSE(NoOp(R"({"tolerations":[]})", R"({"tolerations":[{"key":"a"}]})", R"({"f:tolerations":{}})"));
}

TEST_CASE("A7: a zero value that the server dropped is no difference while we own the field") {
  CHECK(NoOp(R"({"a":"","b":false,"c":0})", "{}", R"({"f:a":{},"f:b":{},"f:c":{}})"));
  CHECK_FALSE(NoOp(R"({"b":false})", "{}", "{}"));  // somebody removed it
  // The claim on an empty struct says nothing of a member that is now wanted.
  CHECK_FALSE(NoOp(R"({"s":{"b":false}})", R"({"s":{}})", R"({"f:s":{}})"));
  CHECK_FALSE(NoOp(R"({"a":"x"})", "{}", R"({"f:a":{}})"));
}

TEST_CASE("A6, A7: items of keyed lists are found by their keys, whatever stands between them") {
  const std::string fields =
      R"({"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}},"k:{\"name\":\"B\"}":{".":{},"f:name":{},"f:value":{}}}})";
  const std::string desired = R"({"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]})";
  CHECK(NoOp(desired, R"({"env":[{"name":"A","value":"1"},{"name":"X"},{"name":"B","value":"2"}]})", fields));
  CHECK_FALSE(
      NoOp(desired, R"({"env":[{"name":"B","value":"2"},{"name":"A","value":"1"}]})", fields));  // order is restored
  CHECK_FALSE(NoOp(desired, R"({"env":[{"name":"A","value":"1"}]})", fields));
  CHECK_FALSE(NoOp(desired, R"({"env":[{"name":"A","value":"1"},{"name":"B","value":"3"}]})", fields));
  CHECK_FALSE(NoOp(R"({"env":[{"name":"A","value":"1"}]})",
                   R"({"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]})", fields));
  CHECK_FALSE(NoOp(R"({"env":[{"name":"A","value":"1"},{"name":"A","value":"1"},{"name":"B","value":"2"}]})",
                   R"({"env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]})", fields));  // duplicates: in doubt
}

TEST_CASE("A7: a port without protocol is the TCP port") {
  const std::string container =
      R"({"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}})";
  CHECK(NoOp(R"({"ports":[{"containerPort":80}]})", R"({"ports":[{"containerPort":80,"protocol":"TCP"}]})", container));
  CHECK_FALSE(NoOp(R"({"ports":[{"containerPort":80,"protocol":"UDP"}]})",
                   R"({"ports":[{"containerPort":80,"protocol":"TCP"}]})", container));
  const std::string service =
      R"({"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:name":{}}}})";
  CHECK(NoOp(R"({"ports":[{"name":"http","port":80}]})",
             R"({"ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":80}]})", service));
  CHECK_FALSE(NoOp(R"({"ports":[{"name":"h","port":80}]})", R"({"ports":[{"name":"http","port":80,"protocol":"TCP"}]})",
                   service));
}

TEST_CASE("A6: atomic lists must be equal item by item, with the server's defaults in the items") {
  CHECK(NoOp(R"({"ingress":[{"ports":[{"port":80}]}]})", R"({"ingress":[{"ports":[{"port":80,"protocol":"TCP"}]}]})",
             R"({"f:ingress":{}})"));
  const std::string fields = R"({"f:tolerations":{}})";
  CHECK_FALSE(NoOp(R"({"tolerations":[{"key":"a"}]})", R"({"tolerations":[{"key":"a"},{"key":"b"}]})", fields));
  CHECK_FALSE(
      NoOp(R"({"tolerations":[{"key":"b"},{"key":"a"}]})", R"({"tolerations":[{"key":"a"},{"key":"b"}]})", fields));
  CHECK_FALSE(
      NoOp(R"({"tolerations":[{"key":"a","tolerationSeconds":0}]})", R"({"tolerations":[{"key":"a"}]})", fields));
}

TEST_CASE("A6: what somebody adds within an atomic value is a difference, and so is what another has taken over") {
  const std::string ingress = R"({"f:ingress":{}})";
  for (const char* live :
       {R"({"ingress":[{"ports":[{"port":80,"protocol":"TCP","endPort":65535}]}]})",
        R"({"ingress":[{"ports":[{"port":80,"protocol":"UDP"}]}]})",
        R"({"ingress":[{"ports":[{"port":80}],"from":[{"podSelector":{"matchLabels":{"a":"b"}}}]}]})"}) {
    CHECK_FALSE(NoOp(R"({"ingress":[{"ports":[{"port":80}]}]})", live, ingress));
  }
  CHECK_FALSE(NoOp(R"({"ingress":[]})", R"({"ingress":[{"ports":[{"port":80}]}]})", "{}"));
  CHECK(NoOp(R"({"ingress":[]})", "{}", "{}"));
  CHECK_FALSE(NoOp(R"({"selector":{"a":"b"}})", R"({"selector":{"a":"b","c":"d"}})", R"({"f:selector":{}})"));
  CHECK_FALSE(NoOp(R"({"selector":{"a":"b"}})", R"({"selector":{"a":"b"}})", R"({"f:other":{}})"));
  CHECK(NoOp(R"({"selector":{"a":"b"}})", R"({"selector":{"a":"b"}})", R"({"f:selector":{}})"));
  const std::string reference =
      R"({"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:valueFrom":{"f:fieldRef":{}}}}})";
  CHECK(NoOp(R"({"env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]})",
             R"({"env":[{"name":"A","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}}]})",
             reference));
}

TEST_CASE("A6: what Knative's webhook fills in is no difference, what somebody has taken over is") {
  const auto no_op = [](const char* containers, const char* owned) {
    json::Value desired = Desired(R"({"containers":[{"image":"i","ports":[{"containerPort":80}]}]})");
    json::Value live = Live(containers, owned);
    desired["apiVersion"] = live["apiVersion"] = "serving.knative.dev/v1";
    live["metadata"]["managedFields"].array()->at(0)["apiVersion"] = "serving.knative.dev/v1";
    return IsNoOpApply(desired, live, kManager);
  };
  const char* filled =
      R"({"containers":[{"image":"i","name":"user-container","resources":{"requests":{"cpu":"100m"}},
          "ports":[{"containerPort":80,"protocol":"TCP"}],"readinessProbe":{"successThreshold":1}}]})";
  CHECK(no_op(filled, R"({"f:containers":{}})"));
  CHECK_FALSE(no_op(filled, R"({"f:other":{}})"));
  CHECK_FALSE(no_op(R"({"containers":[{"image":"other","ports":[{"containerPort":80}]}]})", R"({"f:containers":{}})"));
  CHECK_FALSE(no_op(R"({"containers":[]})", R"({"f:containers":{}})"));
}

TEST_CASE("A6: conditions and ownerReferences have their keys, finalizers are a set") {
  json::Value live = Live("{}", "{}");
  live["metadata"]["finalizers"] = json::Arr({"other/one", "restate.dev/ours"});
  live["metadata"]["managedFields"].array()->at(0)["fieldsV1"] =
      Parsed(R"({"f:metadata":{"f:finalizers":{".":{},"v:\"restate.dev/ours\"":{}}}})");
  json::Value desired = Desired("{}");
  desired.Erase("spec");
  CHECK_FALSE(IsNoOpApply(desired, live, kManager));
  desired["metadata"]["finalizers"] = json::Arr({"restate.dev/ours"});
  CHECK(IsNoOpApply(desired, live, kManager));
  desired["metadata"]["finalizers"] = json::Arr({"restate.dev/ours", "restate.dev/more"});
  CHECK_FALSE(IsNoOpApply(desired, live, kManager));
  const std::string conditions = R"({"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:type":{},"f:status":{}}}})";
  CHECK(NoOp(R"({"conditions":[{"type":"Ready","status":"True"}]})",
             R"({"conditions":[{"type":"Other","status":"x"},{"type":"Ready","status":"True"}]})", conditions));
}

TEST_CASE("A7: quantities are compared by amount where quantities stand, and only there") {
  const std::string fields = R"({"f:resources":{"f:limits":{"f:cpu":{},"f:memory":{}}}})";
  CHECK(NoOp(R"({"resources":{"limits":{"cpu":"1000m","memory":"1024Mi"}}})",
             R"({"resources":{"limits":{"cpu":"1","memory":"1Gi"}}})", fields));
  CHECK(NoOp(R"({"resources":{"limits":{"cpu":1,"memory":"1e3"}}})",
             R"({"resources":{"limits":{"cpu":"1","memory":"1k"}}})", fields));
  CHECK_FALSE(NoOp(R"({"resources":{"limits":{"cpu":"1001m","memory":"1Gi"}}})",
                   R"({"resources":{"limits":{"cpu":"1","memory":"1Gi"}}})", fields));
  CHECK_FALSE(NoOp(R"({"a":"1000m"})", R"({"a":"1"})", R"({"f:a":{}})"));
}

TEST_CASE("quantities: the larger one") {
  CHECK(CompareQuantities("1Gi", "1073741824") == std::strong_ordering::equal);
  CHECK(CompareQuantities("1G", "1Gi") == std::strong_ordering::less);
  CHECK(CompareQuantities("9223372036854775807", "1") == std::strong_ordering::greater);
  CHECK(!CompareQuantities("1", "much"));
  CHECK(!CompareQuantities({}, "1"));
}

TEST_CASE("quantities: equal amounts, and what is none") {
  const auto same = [](json::Value a, json::Value b) { return SameQuantity(a, b); };
  CHECK(same("0.5", "500m"));
  CHECK(same("1.5Gi", "1536Mi"));
  CHECK(same("100M", "1e8"));
  CHECK(same("1E", "1e18"));
  CHECK(same("8Ei", "8192Pi") == false);  // beyond 2^63: in doubt
  CHECK(same(0.5, "500m"));
  CHECK(same("+1", "1"));
  CHECK(same("-1", "-1000m"));
  CHECK(same("1", "1.000000000"));
  CHECK_FALSE(same("1", "1.000000001"));
  CHECK_FALSE(same("1G", "1Gi"));
  for (const char* none :
       {"", "x", "1x", "1.2.3", "m", "1e", "1e99", "--1", "999999999999999999999999999999999999999999"}) {
    CAPTURE(none);
    CHECK_FALSE(same(none, none));
  }
  CHECK_FALSE(same(true, true));
}

TEST_CASE("numbers are equal by value, texts are not numbers") {
  CHECK(NoOp(R"({"a":1.0})", R"({"a":1})", R"({"f:a":{}})"));
  CHECK_FALSE(NoOp(R"({"a":"1"})", R"({"a":1})", R"({"f:a":{}})"));
  CHECK_FALSE(NoOp(R"({"a":{"b":1}})", R"({"a":1})", R"({"f:a":{}})"));
}

TEST_CASE("A8: another incarnation, kind or version of the entry needs an apply") {
  const json::Value live = Live(R"({"a":1})", R"({"f:a":{}})");
  json::Value desired = Desired(R"({"a":1})");
  CHECK(IsNoOpApply(desired, live, kManager));
  desired["metadata"]["uid"] = "u";
  desired["metadata"]["resourceVersion"] = "99";  // never sent (A9)
  CHECK(IsNoOpApply(desired, live, kManager));
  desired["metadata"]["uid"] = "other";
  CHECK_FALSE(IsNoOpApply(desired, live, kManager));
  json::Value older = live;
  older["metadata"]["managedFields"].array()->at(0)["apiVersion"] = "apps/v1beta2";
  CHECK_FALSE(IsNoOpApply(Desired(R"({"a":1})"), older, kManager));
}

TEST_CASE("names of managedFields that are not understood mean doubt") {
  CHECK_FALSE(NoOp(R"({"l":[1]})", R"({"l":[1]})", R"({"f:l":{"i:0":{}}})"));
  CHECK_FALSE(NoOp(R"({"l":[1]})", R"({"l":[1]})", R"({"f:l":{"k:junk":{}}})"));
  CHECK_FALSE(NoOp(R"({"l":[1]})", R"({"l":[1]})", R"({"f:l":{"z":{}}})"));
  CHECK_FALSE(IsNoOpApply(json::Value(), json::Value(), kManager));
  CHECK_FALSE(IsNoOpApply(Desired("{}"), json::Value(), kManager));
}

// --- The class

// A server that gives back the object it was sent, normalised as the test likes.
struct Server {
  json::Value stored;
  bool fails = false;
  testing::FakeHttp http{[this](const HttpRequest&) {
    return fails ? testing::Answer(500, "") : testing::Answer(200, json::Dump(stored));
  }};
  Client client{http};
  Applier applier{client};

  bool Apply(const json::Value& desired, const ObjectPtr& live) {
    auto result = applier.Apply(kReplicaSets, desired, live, {.manager = kManager}, {});
    CHECK(result.ok() == !fails);
    if (!result.ok()) return true;
    CHECK(result->live.is_null() == !result->sent);
    return result->sent;
  }
  ObjectPtr Cached() const { return *Object::From(stored); }
};

TEST_CASE("hot swap: an object that is right already is not written, not even by a new process") {
  Server server;
  server.stored = Live(R"({"replicas":1})", R"({"f:replicas":{}})");
  CHECK_FALSE(server.Apply(Desired(R"({"replicas":1})"), server.Cached()));
  CHECK(server.http.requests().empty());
  CHECK(server.Apply(Desired(R"({"replicas":2})"), server.Cached()));
}

TEST_CASE("A7: a normalisation that is not known costs one request, not one per pass") {
  Server server;
  server.stored = Live(R"({"when":"3600s"})", R"({"f:when":{}})");  // the server writes durations its own way
  const json::Value desired = Desired(R"({"when":"1h"})");
  CHECK(server.Apply(desired, server.Cached()));
  for (int pass = 0; pass < 1000; ++pass) {
    server.stored["metadata"]["resourceVersion"] = std::to_string(pass);  // status moves all the time
    server.stored["status"] = json::Obj({{"n", pass}});
    CHECK_FALSE(server.Apply(desired, server.Cached()));
  }
  server.stored["spec"]["when"] = "7200s";
  CHECK(server.Apply(desired, server.Cached()));
}

TEST_CASE("an unknown live object, a failed apply and Forget all mean sending") {
  Server server;
  server.stored = Live(R"({"a":"b"})", R"({"f:a":{}})");
  const json::Value desired = Desired(R"({"a":"c"})");
  CHECK(server.Apply(desired, nullptr));
  CHECK(server.Apply(desired, nullptr));
  CHECK_FALSE(server.Apply(desired, server.Cached()));
  server.applier.Forget(kReplicaSets, {"n", "other"});
  CHECK_FALSE(server.Apply(desired, server.Cached()));
  server.applier.Forget(kReplicaSets, {"n", "x"});
  CHECK(server.Apply(desired, server.Cached()));
  server.fails = true;
  CHECK(server.Apply(Desired(R"({"a":"d"})"), server.Cached()));
  server.fails = false;
  CHECK(server.Apply(desired, server.Cached()));  // the failed one may have been applied
}

TEST_CASE("a cache that is behind our own last write does not talk us out of the next one") {
  Server server;
  server.stored = Live(R"({"replicas":1})", R"({"f:replicas":{}})");
  const ObjectPtr old = server.Cached();
  server.stored["spec"]["replicas"] = 2;
  CHECK(server.Apply(Desired(R"({"replicas":2})"), old));
  CHECK(server.Apply(Desired(R"({"replicas":1})"), old));  // `old` has 1, the server has 2
}

TEST_CASE("managers and subresources of one object are remembered apart") {
  Server server;
  server.stored = Live(R"({"a":"b"})", R"({"f:a":{}})");
  const json::Value desired = Desired(R"({"a":"c"})");
  CHECK(server.Apply(desired, server.Cached()));
  CHECK_FALSE(server.Apply(desired, server.Cached()));
  auto other = server.applier.Apply(kReplicaSets, desired, server.Cached(), {.manager = "restate-operator/other"}, {});
  REQUIRE(other.ok());
  CHECK(other->sent);
  auto status =
      server.applier.Apply(kReplicaSets, desired, server.Cached(), {.manager = kManager, .subresource = "status"}, {});
  REQUIRE(status.ok());
  CHECK(status->sent);
}

}  // namespace
}  // namespace restate::kube

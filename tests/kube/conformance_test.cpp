// Facts about a Kubernetes API server that the operator relies on, checked on the fake and on a real one
// (conformance.h).
#include "conformance.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "restate/base/error.h"
#include "restate/json/text.h"

namespace restate::kube::testing {
namespace {

using json::Arr;
using json::Obj;
using json::Value;

std::vector<std::string> NamesOf(const json::Array& items) {
  std::vector<std::string> names;
  for (const Value& item : items) names.emplace_back(item.StringAt({"metadata", "name"}));
  std::sort(names.begin(), names.end());
  return names;
}

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The next complete line of a watch.
Value NextEvent(HttpStream& stream, std::string* buffer) {
  std::size_t end;
  while ((end = buffer->find('\n')) == std::string::npos) {
    const auto more = stream.Read(buffer);
    REQUIRE_MESSAGE(more.ok(), more.status().ToString());
    if (!*more) return {};
  }
  auto event = json::Parse(std::string_view(*buffer).substr(0, end));
  buffer->erase(0, end + 1);
  REQUIRE(event.ok());
  return *std::move(event);
}

TEST_SUITE("conformance") {
  TEST_CASE("create: identity, defaults, and AlreadyExists in the server's words") {
    Server server;
    const Value made = server.Create(kWidgets, server.Widget("a", Obj({{"size", 1}})));
    CHECK_FALSE(UidOf(made).empty());
    CHECK_FALSE(VersionOf(made).empty());
    CHECK(GenerationOf(made) == 1);
    CHECK(made.StringAt({"spec", "color"}) == "red");
    CHECK(OwnedBy(made, "creator", "Update") == R"({"f:spec":{".":{},"f:color":{},"f:size":{}}})");
    const auto refused = server.RefusedCreate(kWidgets, server.Widget("a", Obj({{"size", 2}})));
    CHECK(refused.code == 409);
    CHECK(refused.reason == "AlreadyExists");
    CHECK(refused.message == R"(widgets.conformance.test "a" already exists)");
  }

  TEST_CASE("create: generateName, a missing name, a bad name, a foreign namespace") {
    Server server;
    Value body = server.Widget("", Obj({{"size", 1}}));
    body["metadata"] = Obj({{"generateName", "g-"}, {"namespace", server.ns()}});
    const Value made = server.Create(kWidgets, body);
    const auto name = made.StringAt({"metadata", "name"});
    CHECK(name.substr(0, 2) == "g-");
    CHECK(name.size() == 7);
    const auto bad = server.RefusedCreate(kWidgets, server.Widget("Not_Allowed", Obj({{"size", 1}})));
    CHECK(bad.code == 422);
    CHECK(bad.reason == "Invalid");
    CHECK(Contains(bad.message, "metadata.name: Invalid value"));
    Value lost = server.Widget("x", Obj({{"size", 1}}));
    lost["metadata"]["namespace"] = "no-such-namespace";
    const auto refused = server.RefusedCreate(kWidgets, lost);
    CHECK(refused.code == 404);
    CHECK(refused.message == R"(namespaces "no-such-namespace" not found)");
  }

  TEST_CASE("a custom resource is held against its schema") {
    Server server;
    const auto small = server.RefusedCreate(kWidgets, server.Widget("b", Obj({{"size", 0}})));
    CHECK(small.code == 422);
    CHECK(small.message ==
          "Widget.conformance.test \"b\" is invalid: spec.size: Invalid value: 0: spec.size in body "
          "should be greater than or equal to 1");
    const auto type = server.RefusedCreate(kWidgets, server.Widget("b", Obj({{"size", "x"}})));
    CHECK(Contains(type.message, R"(spec.size in body must be of type integer: "string")"));
    const auto missing = server.RefusedCreate(kWidgets, server.Widget("b", json::Object()));
    CHECK(Contains(missing.message, "spec.size: Required value"));
    const Value made =
        server.Create(kWidgets, server.Widget("b", Obj({{"size", 1}, {"unknown", 5}, {"words", json::Array()}})));
    CHECK(made.FindPath({"spec", "unknown"}) == nullptr);
    CHECK(made.FindPath({"spec", "words"}) != nullptr);  // an empty list of a custom resource stays
  }

  TEST_CASE("get and delete of what is not there: 404 with the resource's name") {
    Server server;
    const auto missing = server.client().Get(kReplicaSets, server.KeyFor("nobody"), {});
    REQUIRE(IsNotFound(missing.status()));
    CHECK(ApiErrorOf(missing.status())->message == R"(replicasets.apps "nobody" not found)");
    const auto gone = server.client().Delete(kServices, server.KeyFor("nobody"), {.uid = "u"}, {});
    CHECK((gone.ok() || IsNotFound(gone)));
  }

  TEST_CASE("unknown resources: a group nobody serves and a kind a group lacks") {
    Server server;
    const Resource nowhere{"no.such.group", "v1", "Thing", "things"};
    CHECK(IsNotFound(server.client().List(nowhere, {.ns = server.ns()}, {}).status()));
    const Resource lacking{"apps", "v1", "Thing", "things"};
    CHECK(IsNotFound(server.client().List(lacking, {.ns = server.ns()}, {}).status()));
    const auto serves = [&](const Resource& resource) {
      const auto answer = server.client().Serves(resource, {});
      REQUIRE_MESSAGE(answer.ok(), answer.status().ToString());
      return *answer;
    };
    CHECK(serves(kWidgets));
    CHECK(serves(kPods));
    CHECK_FALSE(serves(nowhere));
    CHECK_FALSE(serves(lacking));
  }

  TEST_CASE("W3: pages are one snapshot: same version, nothing twice, later changes unseen") {
    Server server;
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      server.Create(kWidgets, server.Widget(name, Obj({{"size", 1}})));
    }
    const auto first = server.client().List(kWidgets, {.ns = server.ns(), .limit = 2}, {});
    REQUIRE(first.ok());
    CHECK(NamesOf(first->items) == std::vector<std::string>{"a", "b"});
    REQUIRE_FALSE(first->next.empty());
    REQUIRE(server.Delete(kWidgets, server.Get(kWidgets, "d")).ok());
    server.Create(kWidgets, server.Widget("bb", Obj({{"size", 1}})));
    const auto second = server.client().List(kWidgets, {.ns = server.ns(), .limit = 2, .next = first->next}, {});
    REQUIRE(second.ok());
    CHECK(NamesOf(second->items) == std::vector<std::string>{"c", "d"});
    CHECK(second->resource_version == first->resource_version);
    const auto third = server.client().List(kWidgets, {.ns = server.ns(), .limit = 2, .next = second->next}, {});
    REQUIRE(third.ok());
    CHECK(NamesOf(third->items) == std::vector<std::string>{"e"});
    CHECK(third->next.empty());
  }

  TEST_CASE("list: by label, by namespace, and over all namespaces") {
    Server server;
    Value one = server.Service("one"), two = server.Service("two");
    one["metadata"]["labels"] = Obj({{"k", "1"}});
    two["metadata"]["labels"] = Obj({{"k", "2"}});
    server.Create(kServices, one);
    server.Create(kServices, two);
    const auto names = [&](const ListOptions& options) {
      const auto page = server.client().List(kServices, options, {});
      REQUIRE(page.ok());
      return NamesOf(page->items);
    };
    CHECK(names({.ns = server.ns(), .selector = "k=1"}) == std::vector<std::string>{"one"});
    CHECK(names({.ns = server.ns(), .selector = "k,k!=1"}) == std::vector<std::string>{"two"});
    CHECK(names({.ns = server.ns()}).size() == 2);
    CHECK(names({}).size() >= 2);
  }

  TEST_CASE("watch: every change once and in order, with the versions of the writes") {
    Server server;
    const auto page = server.client().List(kWidgets, {.ns = server.ns()}, {});
    REQUIRE(page.ok());
    auto stream = server.client().Watch(
        kWidgets, {.ns = server.ns(), .resource_version = page->resource_version, .timeout_seconds = 30}, {});
    REQUIRE_MESSAGE(stream.ok(), stream.status().ToString());
    const Value made = server.Create(kWidgets, server.Widget("w", Obj({{"size", 1}})));
    const Value edited = server.Patch(kWidgets, "w", PatchType::kMerge, Obj({{"spec", Obj({{"size", 2}})}}));
    REQUIRE(server.Delete(kWidgets, edited).ok());
    std::string buffer;
    const Value added = NextEvent(**stream, &buffer);
    CHECK(added.StringAt({"type"}) == "ADDED");
    CHECK(added.StringAt({"object", "kind"}) == "Widget");
    CHECK(VersionOf(*added.Find("object")) == VersionOf(made));
    const Value modified = NextEvent(**stream, &buffer);
    CHECK(modified.StringAt({"type"}) == "MODIFIED");
    CHECK(VersionOf(*modified.Find("object")) == VersionOf(edited));
    const Value deleted = NextEvent(**stream, &buffer);
    CHECK(deleted.StringAt({"type"}) == "DELETED");
    CHECK(deleted.IntAt({"object", "spec", "size"}) == 2);
    CHECK(VersionOf(*deleted.Find("object")) != VersionOf(edited));
  }

  TEST_CASE("W24: asked for the metadata alone, lists and watches leave out the rest") {
    Server server;
    const Value made = server.Create(kServices, server.Service("s"));
    const auto page = server.client().List(kServices, {.ns = server.ns(), .metadata_only = true}, {});
    REQUIRE_MESSAGE(page.ok(), page.status().ToString());
    REQUIRE(page->items.size() == 1);
    CHECK(page->items[0].StringAt({"kind"}) == "PartialObjectMetadata");
    CHECK(page->items[0].Find("spec") == nullptr);
    CHECK(UidOf(page->items[0]) == UidOf(made));
    CHECK(VersionOf(page->items[0]) == VersionOf(made));
    auto stream = server.client().Watch(
        kServices,
        {.ns = server.ns(), .resource_version = page->resource_version, .timeout_seconds = 30, .metadata_only = true},
        {});
    REQUIRE_MESSAGE(stream.ok(), stream.status().ToString());
    server.Patch(kServices, "s", PatchType::kMerge, Obj({{"metadata", Obj({{"labels", Obj({{"k", "1"}})}})}}));
    std::string buffer;
    const Value event = NextEvent(**stream, &buffer);
    CHECK(event.StringAt({"type"}) == "MODIFIED");
    CHECK(event.StringAt({"object", "metadata", "labels", "k"}) == "1");
    CHECK(event.FindPath({"object", "spec"}) == nullptr);
  }

  TEST_CASE("watch with a selector: leaving the selection is DELETED, entering is ADDED") {
    Server server;
    const auto page = server.client().List(kServices, {.ns = server.ns()}, {});
    auto stream = server.client().Watch(
        kServices,
        {.ns = server.ns(), .resource_version = page->resource_version, .selector = "k=1", .timeout_seconds = 30}, {});
    REQUIRE(stream.ok());
    server.Create(kServices, server.Service("s"));
    server.Patch(kServices, "s", PatchType::kMerge, Obj({{"metadata", Obj({{"labels", Obj({{"k", "1"}})}})}}));
    server.Patch(kServices, "s", PatchType::kMerge, Obj({{"metadata", Obj({{"labels", Obj({{"k", "2"}})}})}}));
    std::string buffer;
    CHECK(NextEvent(**stream, &buffer).StringAt({"type"}) == "ADDED");
    const Value left = NextEvent(**stream, &buffer);
    CHECK(left.StringAt({"type"}) == "DELETED");
    CHECK(left.StringAt({"object", "metadata", "labels", "k"}) == "1");
  }

  TEST_CASE("watch: ends cleanly when its time is over; an unknown version is refused") {
    Server server;
    const auto page = server.client().List(kWidgets, {.ns = server.ns()}, {});
    auto stream = server.client().Watch(
        kWidgets, {.ns = server.ns(), .resource_version = page->resource_version, .timeout_seconds = 1}, {});
    REQUIRE(stream.ok());
    std::string buffer;
    for (bool more = true; more;) {
      const auto read = (*stream)->Read(&buffer);
      REQUIRE_MESSAGE(read.ok(), read.status().ToString());
      more = *read;
    }
    const auto junk = server.client().Watch(kWidgets, {.ns = server.ns(), .resource_version = "zz"}, {});
    CHECK_FALSE(junk.ok());
  }

  TEST_CASE("W8: a version that is too old is 410 Expired inside the stream") {
    Server server;
    if (!server.is_real()) return;  // the fake is told when to expire: fake_api_test.cpp
    auto stream = server.client().Watch(kWidgets, {.ns = server.ns(), .resource_version = "1"}, {});
    REQUIRE(stream.ok());
    std::string buffer;
    const Value event = NextEvent(**stream, &buffer);
    CHECK(event.StringAt({"type"}) == "ERROR");
    CHECK(event.IntAt({"object", "code"}) == 410);
    CHECK(event.StringAt({"object", "reason"}) == "Expired");
  }

  TEST_CASE("apply: creates, and the same again changes nothing at all") {
    Server server;
    const Value made = server.Apply(kReplicaSets, server.ReplicaSet("r"));
    CHECK(GenerationOf(made) == 1);
    CHECK(OwnedBy(made, "applier") ==
          R"({"f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:metadata":{"f:labels":{"f:app":{}}},)"
          R"("f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"f:image":{},"f:name":{},)"
          R"("f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}})");
    const Value service = server.Apply(kServices, server.Service("s"));
    const Value again = server.Apply(kServices, server.Service("s"));
    CHECK(again == service);
    const Value widget = server.Apply(kWidgets, server.Widget("w", Obj({{"size", 1}, {"words", Arr({"x"})}})));
    CHECK(server.Apply(kWidgets, server.Widget("w", Obj({{"size", 1}, {"words", Arr({"x"})}}))) == widget);
  }

  TEST_CASE("A7: other spellings of the same value are no change") {
    Server server;
    Value wanted = server.ReplicaSet("r");
    Value& container = (*wanted["spec"]["template"]["spec"]["containers"].array())[0];
    container["resources"] = Obj({{"limits", Obj({{"cpu", "1000m"}, {"memory", "1024Mi"}})}});
    container["env"] = Arr({Obj({{"name", "EMPTY"}, {"value", ""}})});
    wanted["metadata"]["annotations"] = json::Object();
    server.Apply(kReplicaSets, wanted);
    const Value live = server.Get(kReplicaSets, "r");
    const Value& kept = (*live.FindPath({"spec", "template", "spec", "containers"})->array())[0];
    CHECK(kept.StringAt({"resources", "limits", "cpu"}) == "1");
    CHECK(kept.StringAt({"resources", "limits", "memory"}) == "1Gi");
    CHECK(*kept.Find("env") == Arr({Obj({{"name", "EMPTY"}})}));
    CHECK(live.FindPath({"metadata", "annotations"}) == nullptr);
    const Value service = server.Apply(kServices, server.Service("s"));
    Value spelled = server.Service("s");
    (*spelled["spec"]["ports"].array())[0]["protocol"] = "TCP";
    const Value after = server.Apply(kServices, spelled);
    CHECK(*after.Find("spec") == *service.Find("spec"));
  }

  TEST_CASE("A2: a field left out is removed; one that somebody else owns stays") {
    Server server;
    Value wanted = server.Service("s");
    wanted["metadata"]["annotations"] = Obj({{"mine", "1"}, {"shared", "1"}});
    server.Apply(kServices, wanted);
    Value other = Obj(
        {{"apiVersion", "v1"},
         {"kind", "Service"},
         {"metadata",
          Obj({{"name", "s"}, {"namespace", server.ns()}, {"annotations", Obj({{"shared", "1"}, {"theirs", "1"}})}})}});
    server.Apply(kServices, other, "other");
    const Value after = server.Apply(kServices, server.Service("s"));
    CHECK(*after.FindPath({"metadata", "annotations"}) == Obj({{"shared", "1"}, {"theirs", "1"}}));
  }

  TEST_CASE("an empty annotations map gives up what was owned and removes the keys") {
    Server server;
    Value wanted = server.Service("s");
    wanted["metadata"]["annotations"] = Obj({{"k", "v"}});
    server.Apply(kServices, wanted);
    wanted["metadata"]["annotations"] = json::Object();
    const Value after = server.Apply(kServices, wanted);
    CHECK(after.FindPath({"metadata", "annotations"}) == nullptr);
    CHECK(Contains(OwnedBy(after, "applier"), R"("f:metadata":{"f:annotations":{}})"));
  }

  TEST_CASE("A4: null does not delete: an annotation of null becomes the empty string") {
    Server server;
    for (const bool widget : {false, true}) {
      const Resource& resource = widget ? kWidgets : kServices;
      Value wanted = widget ? server.Widget("n", Obj({{"size", 1}})) : server.Service("n");
      wanted["metadata"]["annotations"] = Obj({{"k", "v"}});
      server.Apply(resource, wanted);
      wanted["metadata"]["annotations"]["k"] = Value();
      const Value after = server.Apply(resource, wanted);
      REQUIRE(after.FindPath({"metadata", "annotations", "k"}) != nullptr);
      CHECK(after.StringAt({"metadata", "annotations", "k"}, "absent").empty());
    }
    Value refused = server.Widget("n", Obj({{"size", 1}}));
    refused["spec"]["words"] = Value();
    const auto error = server.RefusedApply(kWidgets, refused, {.manager = "applier"});
    CHECK(error.code == 422);
    CHECK(Contains(error.message, R"(spec.words in body must be of type array: "null")"));
  }

  TEST_CASE("emptying a map of a custom resource by applying {} is refused; leaving it out removes it") {
    Server server;
    const auto with = [&](std::optional<Value> map) { return server.Widget("m", Obj({{"size", 1}, {"map", map}})); };
    server.Apply(kWidgets, with(Obj({{"k", "v"}})));
    const auto error = server.RefusedApply(kWidgets, with(Value(json::Object())), {.manager = "applier"});
    CHECK(error.code == 422);
    CHECK(Contains(error.message, R"(spec.map in body must be of type object: "null")"));
    const Value after = server.Apply(kWidgets, with(std::nullopt));
    CHECK(after.FindPath({"spec", "map"}) == nullptr);
    CHECK(after.IntAt({"spec", "size"}) == 1);
  }

  TEST_CASE("A6: list items merge by key, in the applier's order, and leave with their last owner") {
    Server server;
    const auto part = [](const char* name, int n) { return Obj({{"name", name}, {"n", n}}); };
    const auto with = [&](Value parts) { return server.Widget("p", Obj({{"size", 1}, {"parts", std::move(parts)}})); };
    server.Apply(kWidgets, with(Arr({part("a", 1), part("b", 1)})));
    Value theirs = with(Arr({part("t", 7)}));
    theirs["spec"].Erase("size");
    const Value both = server.Apply(kWidgets, theirs, "other");
    CHECK(both.FindPath({"spec", "parts"})->array()->size() == 3);
    const Value after = server.Apply(kWidgets, with(Arr({part("b", 2)})));
    CHECK(*after.FindPath({"spec", "parts"}) == Arr({part("b", 2), part("t", 7)}));
    const auto twice = server.RefusedApply(kWidgets, with(Arr({part("a", 1), part("a", 2)})), {.manager = "applier"});
    CHECK(twice.code == 500);
    CHECK(Contains(twice.message, R"(.spec.parts: duplicate entries for key [name="a"])"));
  }

  TEST_CASE("A5: unforced, another's field is a conflict with causes; forced, it changes hands") {
    Server server;
    Value wanted = server.ReplicaSet("r");
    wanted["metadata"]["labels"] = Obj({{"l", "1"}});
    server.Apply(kReplicaSets, wanted);
    Value rival = Obj({{"apiVersion", "apps/v1"},
                       {"kind", "ReplicaSet"},
                       {"metadata", Obj({{"name", "r"}, {"namespace", server.ns()}, {"labels", Obj({{"l", "2"}})}})},
                       {"spec", Obj({{"replicas", 0}})}});
    const auto error = server.RefusedApply(kReplicaSets, rival, {.manager = "rival", .force = false});
    CHECK(error.code == 409);
    CHECK(error.reason == "Conflict");
    CHECK(error.message == R"(Apply failed with 1 conflict: conflict with "applier": .metadata.labels.l)");
    const Value after = server.Apply(kReplicaSets, rival, "rival");
    CHECK(after.StringAt({"metadata", "labels", "l"}) == "2");
    CHECK_FALSE(Contains(OwnedBy(after, "applier"), "f:labels\":{\"f:l\""));
    CHECK(OwnedBy(after, "rival") == R"({"f:metadata":{"f:labels":{"f:l":{}}},"f:spec":{"f:replicas":{}}})");
    // Equal values are shared, not contested.
    CHECK(Contains(OwnedBy(after, "applier"), "f:replicas"));
  }

  TEST_CASE("conflicts: several of one owner, and those with an Update name its API version") {
    Server server;
    server.Apply(kWidgets, server.Widget("w", Obj({{"size", 1}, {"color", "blue"}})));
    const auto two = server.RefusedApply(kWidgets, server.Widget("w", Obj({{"size", 2}, {"color", "green"}})),
                                         {.manager = "rival", .force = false});
    CHECK(two.message == "Apply failed with 2 conflicts: conflicts with \"applier\":\n- .spec.color\n- .spec.size");
    server.Patch(kWidgets, "w", PatchType::kMerge, Obj({{"spec", Obj({{"size", 3}})}}));
    const auto update = server.RefusedApply(kWidgets, server.Widget("w", Obj({{"size", 1}, {"color", "blue"}})),
                                            {.manager = "applier", .force = false});
    CHECK(Contains(update.message, R"(conflict with "patcher" using conformance.test/v1)"));
    CHECK(Contains(update.message, ".spec.size"));
  }

  TEST_CASE("A3: fields written by POST are not pruned by a later apply of the same manager") {
    Server server;
    Value made = server.Service("s");
    made["metadata"]["annotations"] = Obj({{"posted", "1"}});
    server.Create(kServices, made, "applier");
    const Value after = server.Apply(kServices, server.Service("s"), "applier");
    CHECK(after.StringAt({"metadata", "annotations", "posted"}) == "1");
    const Value pruned = server.Patch(kServices, "s", PatchType::kMerge,
                                      *json::Parse(R"({"metadata":{"annotations":{"posted":null}}})"));
    CHECK(pruned.FindPath({"metadata", "annotations"}) == nullptr);
  }

  TEST_CASE("A8: an apply with a uid never creates, and never touches another incarnation") {
    Server server;
    Value wanted = server.ReplicaSet("r");
    wanted["metadata"]["uid"] = "11111111-2222-3333-4444-555555555555";
    const auto absent = server.RefusedApply(kReplicaSets, wanted, {.manager = "applier"});
    CHECK(absent.code == 409);
    CHECK(absent.reason == "Conflict");
    CHECK(absent.message ==
          "Operation cannot be fulfilled on replicasets.apps \"r\": uid mismatch: the provided object "
          "specified uid 11111111-2222-3333-4444-555555555555, and no existing object was found");
    server.Apply(kReplicaSets, server.ReplicaSet("r"));
    const auto status = server.client().Apply(kReplicaSets, wanted, {.manager = "applier"}, {}).status();
    CHECK(IsConflict(status));
    REQUIRE(ApiErrorOf(status).has_value());
    CHECK(ApiErrorOf(status)->code == 422);
    CHECK(Contains(ApiErrorOf(status)->message, "metadata.uid: Invalid value"));
  }

  TEST_CASE("A9: a resourceVersion in an apply is an optimistic lock") {
    Server server;
    server.Apply(kServices, server.Service("s"));
    Value stale = server.Service("s");
    stale["metadata"]["resourceVersion"] = "1";
    // Sent as it is: the client itself leaves a resourceVersion out.
    const auto error = server.RefusedRawApply(kServices, stale);
    CHECK(error.code == 409);
    CHECK(error.message ==
          "Operation cannot be fulfilled on services \"s\": the object has been modified; please apply "
          "your changes to the latest version and try again");
  }

  TEST_CASE("A9: an apply that only makes: what is there already is a conflict, and stays as it is") {
    Server server;
    const ApplyOptions options{.manager = "applier", .force = false, .only_new = true};
    const auto only_makes = [&](const Resource& resource, Value wanted) {
      CAPTURE(std::string(resource.plural));
      const auto made = server.client().Apply(resource, wanted, options, {});
      REQUIRE(made.ok());
      CHECK(OwnedBy(*made, "applier").find("resourceVersion") == std::string::npos);
      CHECK(made->StringAt({"metadata", "resourceVersion"}) != "1");

      wanted["metadata"]["labels"]["a"] = "b";
      const auto error = server.RefusedApply(resource, wanted, options);
      CHECK(error.code == 409);
      CHECK(error.reason == "Conflict");
      const Value found = server.Get(resource, wanted.StringAt({"metadata", "name"}));
      CHECK(found.StringAt({"metadata", "labels", "a"}) == "");
    };
    only_makes(kServices, server.Service("s"));
    only_makes(kReplicaSets, server.ReplicaSet("r"));
    only_makes(kWidgets, server.Widget("w", Obj({{"size", 1}})));
  }

  TEST_CASE("A1: managedFields in the body, another kind or another name are refused") {
    Server server;
    Value owned = server.Service("s");
    owned["metadata"]["managedFields"] = Arr({Obj({{"manager", "x"}})});
    const auto error = server.RefusedRawApply(kServices, owned);
    CHECK(error.code == 400);
    CHECK(error.message == "metadata.managedFields must be nil");
    Value kind = server.Service("s");
    kind["kind"] = "Pod";
    CHECK(server.RefusedRawApply(kServices, kind, "s").code == 400);
    CHECK(server.RefusedRawApply(kServices, server.Service("other"), "s").code == 400);
  }

  TEST_CASE("A11: status has its own door, its own owner and no generation") {
    Server server;
    const Value made = server.Apply(kWidgets, server.Widget("w", Obj({{"size", 1}})));
    const Value conditions = Arr({Obj({{"type", "Ready"}, {"status", "True"}})});
    const Value status = Obj({{"apiVersion", "conformance.test/v1"},
                              {"kind", "Widget"},
                              {"metadata", Obj({{"name", "w"}, {"namespace", server.ns()}})},
                              {"status", Obj({{"replicas", 1}, {"conditions", conditions}})}});
    Value sly = status;
    sly["spec"] = Obj({{"size", 9}});
    const Value after = server.Apply(kWidgets, sly, "applier", "status");
    CHECK(after.IntAt({"spec", "size"}) == 1);
    CHECK(after.IntAt({"status", "replicas"}) == 1);
    CHECK(GenerationOf(after) == GenerationOf(made));
    CHECK(OwnedBy(after, "applier", "Apply", "status") == R"({"f:status":{"f:conditions":{},"f:replicas":{}}})");
    CHECK(VersionOf(server.Apply(kWidgets, status, "applier", "status")) == VersionOf(after));
    // Through the main door a status is ignored.
    Value wrong_door = status;
    wrong_door["status"]["replicas"] = 7;
    CHECK(server.Apply(kWidgets, wrong_door, "other").IntAt({"status", "replicas"}) == 1);
    const auto absent = server.client().Apply(kWidgets,
                                              Obj({{"apiVersion", "conformance.test/v1"},
                                                   {"kind", "Widget"},
                                                   {"metadata", Obj({{"name", "nobody"}, {"namespace", server.ns()}})},
                                                   {"status", Obj({{"replicas", 1}})}}),
                                              {.manager = "applier", .subresource = "status"}, {});
    CHECK(IsNotFound(absent.status()));
  }

  TEST_CASE("A11: a condition left out of a status apply is gone: conditions are atomic here") {
    Server server;
    server.Apply(kWidgets, server.Widget("w", Obj({{"size", 1}})));
    const auto status = [&](Value conditions) {
      return Obj({{"apiVersion", "conformance.test/v1"},
                  {"kind", "Widget"},
                  {"metadata", Obj({{"name", "w"}, {"namespace", server.ns()}})},
                  {"status", Obj({{"conditions", std::move(conditions)}})}});
    };
    const Value ready = Obj({{"type", "Ready"}, {"status", "True"}}), odd = Obj({{"type", "Odd"}, {"status", "True"}});
    server.Apply(kWidgets, status(Arr({ready, odd})), "applier", "status");
    const Value after = server.Apply(kWidgets, status(Arr({ready})), "applier", "status");
    CHECK(*after.FindPath({"status", "conditions"}) == Arr({ready}));
  }

  TEST_CASE("A12: scale has its own manager and moves the generation") {
    Server server;
    server.Apply(kReplicaSets, server.ReplicaSet("r"));
    const Value scale = Obj({{"apiVersion", "autoscaling/v1"},
                             {"kind", "Scale"},
                             {"metadata", Obj({{"name", "r"}, {"namespace", server.ns()}})},
                             {"spec", Obj({{"replicas", 2}})}});
    const auto refused =
        server.RefusedApply(kReplicaSets, scale, {.manager = "scaler", .subresource = "scale", .force = false});
    CHECK(refused.code == 409);
    const Value answer = server.Apply(kReplicaSets, scale, "scaler", "scale");
    CHECK(answer.StringAt({"kind"}) == "Scale");
    CHECK(answer.IntAt({"spec", "replicas"}) == 2);
    const Value after = server.Get(kReplicaSets, "r");
    CHECK(after.IntAt({"spec", "replicas"}) == 2);
    CHECK(GenerationOf(after) == 2);
    CHECK(OwnedBy(after, "scaler", "Apply", "scale") == R"({"f:spec":{"f:replicas":{}}})");
    CHECK_FALSE(Contains(OwnedBy(after, "applier"), "f:replicas"));
    server.Apply(kReplicaSets, scale, "scaler", "scale");
    CHECK(GenerationOf(server.Get(kReplicaSets, "r")) == 2);
  }

  TEST_CASE("generation counts the spec only") {
    Server server;
    server.Apply(kWidgets, server.Widget("w", Obj({{"size", 1}})));
    const auto label = Obj({{"metadata", Obj({{"labels", Obj({{"l", "1"}})}})}});
    CHECK(GenerationOf(server.Patch(kWidgets, "w", PatchType::kMerge, label)) == 1);
    const auto size = Obj({{"spec", Obj({{"size", 2}})}});
    const Value edited = server.Patch(kWidgets, "w", PatchType::kMerge, size);
    CHECK(GenerationOf(edited) == 2);
    const Value same = server.Patch(kWidgets, "w", PatchType::kMerge, size);
    CHECK(VersionOf(same) == VersionOf(edited));
  }

  TEST_CASE("merge patch: a stale resourceVersion is refused, a missing object is 404") {
    Server server;
    server.Create(kServices, server.Service("s"));
    const auto stale =
        server.RefusedPatch(kServices, "s", PatchType::kMerge, Obj({{"metadata", Obj({{"resourceVersion", "1"}})}}));
    CHECK(stale.code == 409);
    CHECK(server.RefusedPatch(kServices, "nobody", PatchType::kMerge, json::Object()).code == 404);
  }

  TEST_CASE("F1, F2: finalizers by JSON patch: null tests as absent, a failed test is 422 and a conflict") {
    Server server;
    server.Create(kWidgets, server.Widget("w", Obj({{"size", 1}})));
    const auto add = *json::Parse(R"([{"op":"test","path":"/metadata/finalizers","value":null},
        {"op":"add","path":"/metadata/finalizers","value":["conformance.test/f"]}])");
    const Value held = server.Patch(kWidgets, "w", PatchType::kJson, add);
    CHECK(*held.FindPath({"metadata", "finalizers"}) == Arr({"conformance.test/f"}));
    CHECK(GenerationOf(held) == 1);
    const auto status =
        server.client().Patch(kWidgets, server.KeyFor("w"), PatchType::kJson, add, "patcher", "", {}).status();
    CHECK(IsConflict(status));
    REQUIRE(ApiErrorOf(status).has_value());
    CHECK(ApiErrorOf(status)->code == 422);
    CHECK(ApiErrorOf(status)->message == "the server rejected our request due to an error in our request");
    const auto out_of_range = *json::Parse(R"([{"op":"remove","path":"/metadata/finalizers/3"}])");
    CHECK(server.RefusedPatch(kWidgets, "w", PatchType::kJson, out_of_range).code == 422);
    const auto remove = *json::Parse(R"([{"op":"test","path":"/metadata/finalizers/0","value":"conformance.test/f"},
        {"op":"remove","path":"/metadata/finalizers/0"}])");
    CHECK(server.Patch(kWidgets, "w", PatchType::kJson, remove).FindPath({"metadata", "finalizers"}) == nullptr);
  }

  TEST_CASE("a finalizer holds a deleted object, refuses company, and lets it go") {
    Server server;
    Value body = server.Widget("w", Obj({{"size", 1}}));
    body["metadata"]["finalizers"] = Arr({"conformance.test/f"});
    const Value made = server.Create(kWidgets, body);
    REQUIRE(server.Delete(kWidgets, made).ok());
    const Value held = server.Get(kWidgets, "w");
    CHECK(held.FindPath({"metadata", "deletionTimestamp"}) != nullptr);
    CHECK(GenerationOf(held) == 2);
    REQUIRE(server.Delete(kWidgets, made).ok());  // again: nothing new
    CHECK(VersionOf(server.Get(kWidgets, "w")) == VersionOf(held));
    const auto refused = server.RefusedPatch(
        kWidgets, "w", PatchType::kMerge,
        Obj({{"metadata", Obj({{"finalizers", Arr({"conformance.test/f", "conformance.test/g"})}})}}));
    CHECK(refused.code == 422);
    CHECK(Contains(refused.message, "no new finalizers can be added if the object is being deleted"));
    const Value last =
        server.Patch(kWidgets, "w", PatchType::kMerge, *json::Parse(R"({"metadata":{"finalizers":null}})"));
    CHECK(UidOf(last) == UidOf(made));
    CHECK(IsNotFound(server.client().Get(kWidgets, server.KeyFor("w"), {}).status()));
  }

  TEST_CASE("A10: delete with the uid or version of another life is a conflict") {
    Server server;
    const Value made = server.Create(kWidgets, server.Widget("w", Obj({{"size", 1}})));
    const auto foreign = server.client().Delete(kWidgets, server.KeyFor("w"), {.uid = "another"}, {});
    REQUIRE(IsConflict(foreign));
    CHECK(ApiErrorOf(foreign)->code == 409);
    CHECK(Contains(ApiErrorOf(foreign)->message,
                   "the UID in the precondition (another) does not match the UID in record"));
    const auto stale =
        server.client().Delete(kWidgets, server.KeyFor("w"), {.uid = UidOf(made), .resource_version = "1"}, {});
    REQUIRE(IsConflict(stale));
    CHECK(Contains(ApiErrorOf(stale)->message, "the ResourceVersion in the precondition (1) does not match"));
    CHECK(server.Delete(kWidgets, made).ok());
    CHECK(IsNotFound(server.client().Get(kWidgets, server.KeyFor("w"), {}).status()));
  }

  TEST_CASE("a ReplicaSet's selector cannot change and must match its template") {
    Server server;
    server.Create(kReplicaSets, server.ReplicaSet("r"));
    const auto selector = *json::Parse(R"({"spec":{"selector":{"matchLabels":{"app":"other"}}}})");
    const auto changed = server.RefusedPatch(kReplicaSets, "r", PatchType::kMerge, selector);
    CHECK(changed.code == 422);
    CHECK(Contains(changed.message, "field is immutable"));
    Value wrong = server.ReplicaSet("q");
    wrong["spec"]["selector"]["matchLabels"]["app"] = "other";
    CHECK(Contains(server.RefusedCreate(kReplicaSets, wrong).message, "`selector` does not match template `labels`"));
  }

  TEST_CASE("E1: an event's texts are limited, its members required") {
    Server server;
    Value fits = server.Event("fits");
    fits["note"] = std::string(1024, 'n');
    server.Create(kEvents, fits);
    const auto refusal = [&](const char* member, Value value) {
      Value event = server.Event("refused");
      event[member] = std::move(value);
      const auto error = server.RefusedCreate(kEvents, event);
      CHECK(error.code == 422);
      return error.message;
    };
    CHECK(refusal("note", std::string(1025, 'n')) ==
          R"(Event "refused" is invalid: message: Invalid value: "": can have at most 1024 characters)");
    // The limit counts bytes: 512 dashes are 1,536 of them.
    std::string dashes;
    for (int i = 0; i < 512; ++i) dashes += "\xe2\x80\x94";
    CHECK(Contains(refusal("note", dashes), "can have at most 1024 characters"));
    for (const char* member : {"reason", "action", "reportingInstance"}) {
      CHECK(Contains(refusal(member, std::string(129, 'x')), "can have at most 128 characters"));
      CHECK(Contains(refusal(member, ""), "Required value"));
    }
    CHECK(Contains(refusal("type", "Odd"), "has invalid value: Odd"));
    CHECK(Contains(refusal("regarding", Obj({{"kind", "Node"}, {"name", "n"}})), "does not match event.namespace"));
  }

  TEST_CASE("E2: of an event only the series may change") {
    Server server;
    server.Create(kEvents, server.Event("e"));
    const auto note = server.RefusedPatch(kEvents, "e", PatchType::kMerge, Obj({{"note", "other"}}));
    CHECK(note.code == 422);
    CHECK(Contains(note.message, "field is immutable"));
    const Value series = Obj({{"count", 2}, {"lastObservedTime", "2026-01-02T03:05:05.000000Z"}});
    const Value after = server.Patch(kEvents, "e", PatchType::kMerge, Obj({{"series", series}}));
    CHECK(after.IntAt({"series", "count"}) == 2);
  }

  TEST_CASE("a namespace that ends takes nothing new, and says so in a cause") {
    Server server;
    const Value made = server.Create(kWidgets, server.Widget("held", Obj({{"size", 1}})));
    server.Patch(kWidgets, "held", PatchType::kMerge,
                 Obj({{"metadata", Obj({{"finalizers", Arr({"conformance.test/f"})}})}}));
    const auto space = server.client().Get(kNamespaces, {"", server.ns()}, {});
    REQUIRE(space.ok());
    REQUIRE(server.client().Delete(kNamespaces, {"", server.ns()}, {.uid = UidOf(*space)}, {}).ok());
    const auto late = server.RefusedCreate(kWidgets, server.Widget("late", Obj({{"size", 1}})));
    CHECK(late.code == 403);
    CHECK(late.reason == "NamespaceTerminating");
    CHECK(Contains(late.message,
                   "widgets.conformance.test \"late\" is forbidden: unable to create new content in "
                   "namespace " +
                       server.ns() + " because it is being terminated"));
    CHECK(server.RefusedApply(kServices, server.Service("late"), {.manager = "applier"}).code == 403);
    // What is there can still change: that is how finalizers are released.
    const auto released = server.client().Patch(kWidgets, server.KeyFor("held"), PatchType::kMerge,
                                                *json::Parse(R"({"metadata":{"finalizers":null}})"), "patcher", "", {});
    CHECK(released.ok());
  }
}

}  // namespace
}  // namespace restate::kube::testing

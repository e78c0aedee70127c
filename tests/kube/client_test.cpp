#include "restate/kube/client.h"

#include <doctest/doctest.h>

#include "absl/strings/match.h"
#include "fake_http.h"
#include "restate/base/error.h"
#include "restate/json/text.h"

namespace restate::kube {
namespace {

using testing::Answer;
using testing::FakeHttp;

// A Status object as kube-apiserver words it.
std::string StatusText(int code, std::string reason, std::string message, json::Value details = {}) {
  return json::Dump(json::Obj({{"apiVersion", "v1"},
                               {"kind", "Status"},
                               {"status", "Failure"},
                               {"code", code},
                               {"reason", reason},
                               {"message", message},
                               {"details", details}}));
}

json::Value ReplicaSet(std::string name = "x") {
  return json::Obj({{"apiVersion", "apps/v1"},
                    {"kind", "ReplicaSet"},
                    {"metadata", json::Obj({{"namespace", "default"}, {"name", name}})}});
}

absl::Status ErrorFor(int code, std::string body, std::optional<absl::Duration> retry_after = {}) {
  FakeHttp http([&](const HttpRequest&) {
    HttpResponse response = Answer(code, body);
    response.retry_after = retry_after;
    return response;
  });
  return Client(http).Create(kReplicaSets, ReplicaSet(), "m", {}).status();
}

TEST_CASE("paths follow the API's layout, names are percent-encoded") {
  CHECK(CollectionPath(kReplicaSets, "") == "/apis/apps/v1/replicasets");
  CHECK(CollectionPath(kReplicaSets, "a b") == "/apis/apps/v1/namespaces/a%20b/replicasets");
  CHECK(CollectionPath(kNamespaces, "ignored") == "/api/v1/namespaces");
  CHECK(ObjectPath(kPods, {"ns", "../x"}) == "/api/v1/namespaces/ns/pods/..%2Fx");
  CHECK(ObjectPath(kReplicaSets, {"ns", "x"}, "scale") == "/apis/apps/v1/namespaces/ns/replicasets/x/scale");
  CHECK(kPods.ApiVersion() == "v1");
  CHECK(kReplicaSets.ApiVersion() == "apps/v1");
}

TEST_CASE("A1: an apply is a PATCH of its own type with a manager, and forces by default") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, "{}"); });
  Client client(http);
  REQUIRE(client.Apply(kReplicaSets, ReplicaSet(), {.manager = "restate-operator/x"}, {}).ok());
  CHECK(http.last().method == "PATCH");
  CHECK(http.last().content_type == "application/apply-patch+yaml");
  CHECK(http.last().target ==
        "/apis/apps/v1/namespaces/default/replicasets/x?fieldManager=restate-operator%2Fx&force=true");
  REQUIRE(client.Apply(kReplicaSets, ReplicaSet(), {.manager = "m", .subresource = "status", .force = false}, {}).ok());
  CHECK(http.last().target == "/apis/apps/v1/namespaces/default/replicasets/x/status?fieldManager=m");
}

TEST_CASE("A1, A9: an apply body carries no managedFields and no resourceVersion; A8: its uid stays") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, "{}"); });
  json::Value body = ReplicaSet();
  body["metadata"]["resourceVersion"] = "7";
  body["metadata"]["managedFields"] = json::Arr({});
  body["metadata"]["uid"] = "u";
  REQUIRE(Client(http).Apply(kReplicaSets, body, {.manager = "m"}, {}).ok());
  json::Value expected = ReplicaSet();
  expected["metadata"]["uid"] = "u";
  CHECK(http.last().body == json::Dump(expected));
}

TEST_CASE("A1: an apply is read as YAML, which takes some characters in no other way than escaped") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, "{}"); });
  json::Value body = ReplicaSet();
  body["spec"]["a"] = "\x7f\xe2\x80\xa8";
  REQUIRE(Client(http).Apply(kReplicaSets, body, {.manager = "m"}, {}).ok());
  CHECK(absl::StrContains(http.last().body, R"("a":"\u007f\u2028")"));
}

TEST_CASE("A1: a manager's name is needed and has at most 128 bytes") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, "{}"); });
  Client client(http);
  CHECK_FALSE(client.Apply(kReplicaSets, ReplicaSet(), {.manager = ""}, {}).ok());
  CHECK_FALSE(client.Create(kReplicaSets, ReplicaSet(), std::string(129, 'm'), {}).ok());
  CHECK(client.Create(kReplicaSets, ReplicaSet(), std::string(128, 'm'), {}).ok());
  CHECK(http.requests().size() == 1);
}

TEST_CASE("A10: a deletion names the uid, the version it decided on and how dependents go") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, "{}"); });
  Client client(http);
  REQUIRE(client.Delete(kReplicaSets, {"ns", "x"}, {.uid = "u", .resource_version = "5"}, {}).ok());
  CHECK(http.last().method == "DELETE");
  CHECK(http.last().body ==
        R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"resourceVersion":"5","uid":"u"},)"
        R"("propagationPolicy":"Background"})");
  CHECK_FALSE(client.Delete(kReplicaSets, {"ns", "x"}, {.uid = ""}, {}).ok());
  CHECK(http.requests().size() == 1);
}

TEST_CASE("A10, P2: deleting what is gone succeeds, another incarnation is a conflict") {
  int code = 404;
  FakeHttp http(
      [&](const HttpRequest&) { return Answer(code, StatusText(code, code == 404 ? "NotFound" : "Conflict", "no")); });
  CHECK(Client(http).Delete(kPods, {"ns", "x"}, {.uid = "u"}, {}).ok());
  code = 409;
  CHECK(IsConflict(Client(http).Delete(kPods, {"ns", "x"}, {.uid = "u"}, {})));
}

TEST_CASE("patches carry their type and their manager") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, "{}"); });
  Client client(http);
  REQUIRE(client.Patch(kPods, {"ns", "x"}, PatchType::kJson, json::Arr({}), "m", "", {}).ok());
  CHECK(http.last().content_type == "application/json-patch+json");
  CHECK(http.last().body == "[]");
  REQUIRE(client.Patch(kPods, {"ns", "x"}, PatchType::kMerge, json::Obj({{"a", 1}}), "m", "status", {}).ok());
  CHECK(http.last().content_type == "application/merge-patch+json");
  CHECK(http.last().target == "/api/v1/namespaces/ns/pods/x/status?fieldManager=m");
}

TEST_CASE("W3: the first page asks for no version, later pages carry the token") {
  FakeHttp http([](const HttpRequest&) {
    return Answer(200,
                  R"({"metadata":{"resourceVersion":"10","continue":"n/x="},"items":[{"metadata":{"name":"a"}}]})");
  });
  Client client(http);
  auto page = client.List(kReplicaSets, {.selector = "a=b"}, {});
  REQUIRE(page.ok());
  CHECK(http.last().target == "/apis/apps/v1/replicasets?labelSelector=a%3Db&limit=500");
  CHECK(http.last().timeout == absl::Seconds(60));
  CHECK(page->resource_version == "10");
  CHECK(page->next == "n/x=");
  REQUIRE(page->items.size() == 1);
  CHECK(page->items[0].StringAt({"kind"}) == "ReplicaSet");
  CHECK(page->items[0].StringAt({"apiVersion"}) == "apps/v1");
  REQUIRE(client.List(kReplicaSets, {.ns = "n", .limit = 0, .next = page->next}, {}).ok());
  CHECK(http.last().target == "/apis/apps/v1/namespaces/n/replicasets?continue=n%2Fx%3D");
}

TEST_CASE("W16: an item of a list that cannot be decoded is missing alone, and reported") {
  const std::string deep = std::string(9999, '[') + std::string(9999, ']');
  const std::string poison[] = {"{\"a\":\"\xff\"}",
                                "{\"spec\":" + std::string(20000, '[') + std::string(20000, ']') + "}", "\"text\"", "7",
                                "{\"a\":truth}"};
  for (const std::string& bad : poison) {
    FakeHttp http([&](const HttpRequest&) {
      return Answer(
          200,
          "{\"metadata\":{\"resourceVersion\":\"1\",\"items\":[\"decoy\"]}, \"items\" : [ {\"n\":\"a],\\\"}{\"}, " +
              bad + ",{\"n\":\"b\",\"d\":" + deep + "} ] ,\"x\":[1]}");
    });
    const auto page = Client(http).List(kPods, {}, {});
    REQUIRE(page.ok());
    REQUIRE(page->items.size() == 2);
    CHECK(page->items[0].StringAt({"n"}) == "a],\"}{");
    CHECK(page->items[1].StringAt({"n"}) == "b");
    CHECK(page->broken.size() == 1);
    CHECK(page->resource_version == "1");
  }
}

TEST_CASE("an answer that is no list is an error, an empty list is none") {
  std::string body;
  FakeHttp http([&](const HttpRequest&) { return Answer(200, body); });
  Client client(http);
  for (const char* bad :
       {"", "{}", "[]", "<html>", "{\"items\":", "{\"items\":[{}", "{\"items\":{}}", "{\"items\":[1,2]}}"}) {
    body = bad;
    CAPTURE(body);
    CHECK_FALSE(client.List(kPods, {}, {}).ok());
  }
  for (const char* good : {"{\"items\":[]}", "{\"items\":null}", "{\"items\":[ ]}"}) {
    body = good;
    const auto page = client.List(kPods, {}, {});
    REQUIRE(page.ok());
    CHECK(page->items.empty());
    CHECK(page->broken.empty());
  }
}

TEST_CASE("W6: a watch asks for bookmarks and an end, and stays silent for little longer than that") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, "{}\n"); });
  auto stream = Client(http).Watch(kReplicaSets, {.ns = "n", .resource_version = "a9", .timeout_seconds = 290}, {});
  REQUIRE(stream.ok());
  CHECK(http.last().target ==
        "/apis/apps/v1/namespaces/n/replicasets?watch=1&allowWatchBookmarks=true&timeoutSeconds=290"
        "&resourceVersion=a9");
  CHECK(http.last().timeout == absl::Seconds(295));
  std::string bytes;
  REQUIRE((*stream)->Read(&bytes).ok());
  CHECK(bytes == "{}\n");
}

TEST_CASE("W13: a watch without the version of a list is refused") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, ""); });
  CHECK_FALSE(Client(http).Watch(kPods, {}, {}).ok());
  CHECK_FALSE(Client(http).Watch(kPods, {.resource_version = "0"}, {}).ok());
  CHECK(http.requests().empty());
}

TEST_CASE("W8: 410 on opening a watch and inside one are the same error, and no conflict") {
  const std::string text = StatusText(410, "Expired", "too old resource version: 1 (2)");
  FakeHttp http([&](const HttpRequest&) { return Answer(410, text); });
  const absl::Status opening = Client(http).Watch(kPods, {.resource_version = "1"}, {}).status();
  const absl::Status inside = ErrorOfStatusObject(*json::Parse(text), "watch pods");
  for (const absl::Status& status : {opening, inside}) {
    REQUIRE(ApiErrorOf(status).has_value());
    CHECK(ApiErrorOf(status)->code == 410);
    CHECK(ApiErrorOf(status)->reason == "Expired");
    CHECK(ReasonOf(status) == Reason::kApiConflict);
    CHECK_FALSE(IsConflict(status));
    CHECK(MessageOf(status) == "watch pods: too old resource version: 1 (2)");
  }
}

TEST_CASE("each HTTP status has its Reason, and the message begins with what was asked") {
  struct Row {
    int code;
    Reason reason;
  };
  for (const Row row : {Row{400, Reason::kApiRejected},
                        {401, Reason::kApiForbidden},
                        {403, Reason::kApiForbidden},
                        {404, Reason::kApiNotFound},
                        {408, Reason::kApiUnavailable},
                        {409, Reason::kApiConflict},
                        {413, Reason::kApiRejected},
                        {415, Reason::kApiRejected},
                        {422, Reason::kApiRejected},
                        {429, Reason::kApiUnavailable},
                        {500, Reason::kApiUnavailable},
                        {503, Reason::kApiUnavailable},
                        {504, Reason::kApiUnavailable},
                        {302, Reason::kApiRejected}}) {
    CAPTURE(row.code);
    const absl::Status status = ErrorFor(row.code, StatusText(row.code, "Why", "said the server"));
    CHECK(ReasonOf(status) == row.reason);
    CHECK(MessageOf(status) == "create replicasets default/x: said the server");
    CHECK(ApiErrorOf(status)->code == row.code);
    CHECK(ApiErrorOf(status)->reason == "Why");
  }
}

TEST_CASE("500: an apply that cannot be read is refused, whatever the code says; the rest is an outage") {
  const std::string text =
      "failed to create typed patch object (ns/x; autoscaling/v2, Kind=X): .spec.minReplicas: expected numeric";
  CHECK(ReasonOf(ErrorFor(500, StatusText(500, "InternalError", text))) == Reason::kApiRejected);
  CHECK(ReasonOf(ErrorFor(500, StatusText(500, "InternalError", "etcdserver: request timed out"))) ==
        Reason::kApiUnavailable);
}

TEST_CASE("409: AlreadyExists is told from a conflict") {
  const absl::Status exists = ErrorFor(409, StatusText(409, "AlreadyExists", "m"));
  CHECK(IsAlreadyExists(exists));
  CHECK_FALSE(IsConflict(exists));
  const absl::Status conflict = ErrorFor(409, StatusText(409, "Conflict", "m"));
  CHECK(IsConflict(conflict));
  CHECK_FALSE(IsAlreadyExists(conflict));
  CHECK_FALSE(IsConflict(absl::OkStatus()));
  CHECK_FALSE(IsConflict(MakeError(Reason::kApiConflict, "ours")));
}

TEST_CASE("F2: a failed JSON patch test, which comes as 422, is a conflict") {
  // kube-apiserver's words for whatever makes a JSON patch fail; it gives no causes.
  const absl::Status status =
      ErrorFor(422, StatusText(422, "Invalid", "the server rejected our request due to an error in our request",
                               json::Obj({{"name", "x"}})));
  CHECK(ReasonOf(status) == Reason::kApiConflict);
  CHECK(IsConflict(status));
}

TEST_CASE("A8: an apply that meets another incarnation is a conflict, other invalid fields are not") {
  const auto with_cause = [](std::string field) {
    return ErrorFor(
        422, StatusText(
                 422, "Invalid", "is invalid",
                 json::Obj({{"causes", json::Arr({json::Obj({{"reason", "FieldValueInvalid"}, {"field", field}})})}})));
  };
  CHECK(IsConflict(with_cause("metadata.uid")));
  CHECK_FALSE(IsConflict(with_cause("spec.replicas")));
  CHECK(ReasonOf(with_cause("spec.replicas")) == Reason::kApiRejected);
}

TEST_CASE("F4: a terminating namespace is told from a missing right") {
  const absl::Status status = ErrorFor(
      403, StatusText(403, "Forbidden", "unable to create new content in namespace a because it is being terminated",
                      json::Obj({{"causes", json::Arr({json::Obj({{"reason", "NamespaceTerminating"}})})}})));
  CHECK(ApiErrorOf(status)->reason == "NamespaceTerminating");
  CHECK(ReasonOf(status) == Reason::kApiForbidden);
}

TEST_CASE("P1: the wait that the server asks for comes with the error, from the header or the body") {
  CHECK(RetryAfterOf(ErrorFor(429, StatusText(429, "TooManyRequests", "m"), absl::Seconds(7))) == absl::Seconds(7));
  const auto in_body = [](int seconds) {
    return RetryAfterOf(
        ErrorFor(503, StatusText(503, "ServerTimeout", "m", json::Obj({{"retryAfterSeconds", seconds}}))));
  };
  CHECK(in_body(3) == absl::Seconds(3));
  CHECK(in_body(999999) == absl::Hours(1));
  CHECK(in_body(-1) == std::nullopt);
}

TEST_CASE("an answer that is not the API server's is described, not quoted at length") {
  const absl::Status status = ErrorFor(502, "<html>" + std::string(5000, 'x'));
  CHECK(MessageOf(status) == "create replicasets default/x: HTTP status 502");
  FakeHttp proxy([](const HttpRequest&) {
    return HttpResponse{.status = 403,
                        .content_type = "text/plain",
                        .retry_after = {},
                        .body = "denied\n\xff\x1b[1m" + std::string(500, 'x')};
  });
  const absl::Status denied = Client(proxy).Get(kPods, {"n", "x"}, {}).status();
  CHECK(MessageOf(denied).starts_with("get pods n/x: HTTP status 403: denied   [1mxxx"));
  CHECK(MessageOf(denied).size() < 300);
  CHECK(MessageOf(ErrorFor(302, "")).find("redirect") != std::string_view::npos);
  CHECK(MessageOf(ErrorFor(422, StatusText(422, "Invalid", std::string(100000, 'x')))).size() < 9000);
}

TEST_CASE("W23: after a 401 the request goes out once more, not twice") {
  int unauthorised = 1;
  FakeHttp http([&](const HttpRequest&) { return unauthorised-- > 0 ? Answer(401, "") : Answer(200, "{}"); });
  Client client(http);
  CHECK(client.Create(kReplicaSets, ReplicaSet(), "m", {}).ok());
  CHECK(http.requests().size() == 2);
  unauthorised = 1;
  CHECK(client.Watch(kPods, {.resource_version = "1"}, {}).ok());
  CHECK(http.requests().size() == 4);
  unauthorised = 5;
  CHECK(ReasonOf(client.Get(kPods, {"n", "x"}, {}).status()) == Reason::kApiForbidden);
  CHECK(http.requests().size() == 6);
}

TEST_CASE("P1: a write that failed in transport is not repeated") {
  FakeHttp http([](const HttpRequest&) { return MakeError(Reason::kApiUnavailable, "broken"); });
  const absl::Status status = Client(http).Create(kReplicaSets, ReplicaSet(), "m", {}).status();
  CHECK(MessageOf(status) == "create replicasets default/x: broken");
  CHECK(ReasonOf(status) == Reason::kApiUnavailable);
  CHECK(http.requests().size() == 1);
}

TEST_CASE("discovery says whether a resource is served") {
  HttpResponse answer =
      Answer(200, R"({"kind":"APIResourceList","resources":[{"name":"replicasets"},{"name":"replicasets/scale"}]})");
  FakeHttp http([&](const HttpRequest&) { return answer; });
  Client client(http);
  CHECK(*client.Serves(kReplicaSets, {}) == true);
  CHECK(http.last().target == "/apis/apps/v1");
  CHECK(*client.Serves(kPods, {}) == false);
  CHECK(http.last().target == "/api/v1");
  answer = Answer(404, "404 page not found");
  CHECK(*client.Serves(kReplicaSets, {}) == false);
  answer = Answer(503, "");
  CHECK_FALSE(client.Serves(kReplicaSets, {}).ok());
}

TEST_CASE("L4: an update is a PUT of the whole object at its version, within the client's own limit") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, "{}"); });
  Client client(http, nullptr, absl::Seconds(2));
  json::Value body = ReplicaSet();
  body["metadata"]["resourceVersion"] = "7";
  REQUIRE(client.Update(kReplicaSets, body, "m", {}).ok());
  CHECK(http.last().method == "PUT");
  CHECK(http.last().target == "/apis/apps/v1/namespaces/default/replicasets/x?fieldManager=m");
  CHECK(http.last().content_type == "application/json");
  CHECK(http.last().body == json::Dump(body));
  CHECK(http.last().timeout == absl::Seconds(2));
  CHECK_FALSE(client.Update(kReplicaSets, body, "", {}).ok());
}

TEST_CASE("a watch of one object, without bookmarks, with a silence limit of its own") {
  FakeHttp http([](const HttpRequest&) { return Answer(200, ""); });
  REQUIRE(Client(http)
              .Watch(kReplicaSets,
                     {.ns = "n",
                      .resource_version = "7",
                      .timeout_seconds = 290,
                      .name = "x",
                      .silence = absl::Seconds(15),
                      .bookmarks = false},
                     {})
              .ok());
  CHECK(http.last().target ==
        "/apis/apps/v1/namespaces/n/replicasets?watch=1&timeoutSeconds=290&resourceVersion=7"
        "&fieldSelector=metadata.name%3Dx");
  CHECK(http.last().timeout == absl::Seconds(15));
}

TEST_CASE("the observer sees every request with verb and code") {
  struct Observer : ClientObserver {
    std::vector<std::string> seen;
    void OnRequest(std::string_view verb, int code, absl::Duration took) override {
      CHECK(took >= absl::ZeroDuration());
      seen.push_back(std::string(verb) + " " + std::to_string(code));
    }
  } observer;
  absl::StatusOr<HttpResponse> answer = Answer(200, "{}");
  FakeHttp http([&](const HttpRequest&) { return answer; });
  Client client(http, &observer);
  (void)client.Get(kPods, {"n", "x"}, {});
  answer = Answer(409, "");
  (void)client.Apply(kReplicaSets, ReplicaSet(), {.manager = "m"}, {});
  answer = MakeError(Reason::kApiUnavailable, "broken");
  (void)client.List(kPods, {}, {});
  answer = MakeError(Reason::kStopped, "stopped");
  (void)client.List(kPods, {}, {});
  CHECK(observer.seen == std::vector<std::string>{"get 200", "apply 409", "list 0"});
}

}  // namespace
}  // namespace restate::kube

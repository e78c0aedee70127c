#include "conformance.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/time/clock.h"
#include "fake/fake_api.h"
#include "restate/base/error.h"
#include "restate/json/text.h"
#include "restate/kube/credentials.h"

namespace restate::kube::testing {

using json::Arr;
using json::Obj;
using json::Value;

namespace {

constexpr char kDefinition[] = R"({
  "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
  "metadata": {"name": "widgets.conformance.test"},
  "spec": {"group": "conformance.test", "scope": "Namespaced",
    "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
    "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
      "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {
          "size": {"type": "integer", "minimum": 1},
          "color": {"type": "string", "default": "red"},
          "opt": {"type": "string", "nullable": true},
          "map": {"type": "object", "additionalProperties": {"type": "string"}},
          "words": {"type": "array", "items": {"type": "string"}},
          "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"], "properties": {
              "name": {"type": "string"}, "n": {"type": "integer"}}}}}},
        "status": {"type": "object", "properties": {
          "replicas": {"type": "integer"},
          "conditions": {"type": "array", "items": {"type": "object", "properties": {
            "type": {"type": "string"}, "status": {"type": "string"}}}}}}}}}}]}})";

HttpSettings SettingsOf(const char* kubeconfig) {
  std::ifstream file(kubeconfig);
  std::ostringstream text;
  text << file.rdbuf();
  const std::string path(kubeconfig);
  auto access = AccessOfKubeconfig(text.str(), path.substr(0, path.rfind('/')));
  REQUIRE_MESSAGE(access.ok(), access.status().ToString());
  return access->http;
}

// A real server answers 404 for a moment until a new definition is served.
void DefineWidgets(Client& client) {
  const auto definition = json::Parse(kDefinition);
  REQUIRE(definition.ok());
  const auto made = client.Create(kCustomResourceDefinitions, *definition, "creator", {});
  REQUIRE((made.ok() || IsAlreadyExists(made.status())));
  for (int attempt = 0; attempt < 300; ++attempt) {
    if (client.List(kWidgets, {.ns = "default"}, {}).ok()) return;
    absl::SleepFor(absl::Milliseconds(100));
  }
  FAIL("the definition of Widget is not served after 30 s");
}

std::string NewNamespace() {
  static std::atomic<int> count{0};
  return "conf-" + std::to_string(absl::ToUnixMillis(absl::Now()) % 100000000) + "-" + std::to_string(++count);
}

ApiError ErrorIn(const absl::Status& status) {
  REQUIRE_FALSE(status.ok());
  const auto error = ApiErrorOf(status);
  REQUIRE_MESSAGE(error.has_value(), status.ToString());
  return *error;
}

}  // namespace

struct Server::Fake {
  fake::FakeApi api;
};

Server::Server() {
  const char* kubeconfig = std::getenv("RESTATE_LAB_KUBECONFIG");
  real_ = kubeconfig != nullptr;
  if (!real_) fake_ = std::make_unique<Fake>();
  auto http = NewHttpClient(real_ ? SettingsOf(kubeconfig) : HttpSettings{.base_url = fake_->api.url()});
  REQUIRE_MESSAGE(http.ok(), http.status().ToString());
  http_ = *std::move(http);
  client_ = std::make_unique<Client>(*http_);
  DefineWidgets(*client_);
  ns_ = NewNamespace();
  REQUIRE(client_->Create(kNamespaces, Obj({{"apiVersion", "v1"}, {"kind", "Namespace"},
                                            {"metadata", Obj({{"name", ns_}})}}), "creator", {}).ok());
}

Server::~Server() {
  if (!real_ || ns_.empty()) return;
  const auto found = client_->Get(kNamespaces, {"", ns_}, {});
  if (found.ok()) (void)client_->Delete(kNamespaces, {"", ns_}, {.uid = UidOf(*found)}, {});
}

Value Server::Widget(std::string_view name, Value spec) const {
  return Obj({{"apiVersion", "conformance.test/v1"}, {"kind", "Widget"},
              {"metadata", Obj({{"name", name}, {"namespace", ns_}})}, {"spec", std::move(spec)}});
}

Value Server::ReplicaSet(std::string_view name) const {
  const Value labels = Obj({{"app", "a"}});
  const Value container = Obj({{"name", "c"}, {"image", "i:1"}, {"ports", Arr({Obj({{"containerPort", 80}})})}});
  const Value pod = Obj({{"metadata", Obj({{"labels", labels}})}, {"spec", Obj({{"containers", Arr({container})}})}});
  return Obj({{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"},
              {"metadata", Obj({{"name", name}, {"namespace", ns_}})},
              {"spec", Obj({{"replicas", 0}, {"selector", Obj({{"matchLabels", labels}})}, {"template", pod}})}});
}

Value Server::Service(std::string_view name) const {
  return Obj({{"apiVersion", "v1"}, {"kind", "Service"}, {"metadata", Obj({{"name", name}, {"namespace", ns_}})},
              {"spec", Obj({{"clusterIP", "None"}, {"selector", Obj({{"app", "a"}})},
                            {"ports", Arr({Obj({{"name", "http"}, {"port", 80}})})}})}});
}

Value Server::Event(std::string_view name) const {
  return Obj({{"apiVersion", "events.k8s.io/v1"}, {"kind", "Event"},
              {"metadata", Obj({{"name", name}, {"namespace", ns_}})}, {"eventTime", "2026-01-02T03:04:05.000000Z"},
              {"reportingController", "conformance.test/x"}, {"reportingInstance", "pod"}, {"action", "Test"},
              {"reason", "Testing"}, {"type", "Warning"}, {"note", "a note"},
              {"regarding", Obj({{"apiVersion", "conformance.test/v1"}, {"kind", "Widget"}, {"name", "w"},
                                 {"namespace", ns_}})}});
}

Value Server::Create(const Resource& resource, const Value& body, std::string_view manager) {
  auto made = client_->Create(resource, body, manager, {});
  REQUIRE_MESSAGE(made.ok(), made.status().ToString());
  return *std::move(made);
}

Value Server::Apply(const Resource& resource, const Value& body, std::string_view manager,
                    std::string_view subresource) {
  auto applied = client_->Apply(resource, body, {.manager = manager, .subresource = subresource, .force = true}, {});
  REQUIRE_MESSAGE(applied.ok(), applied.status().ToString());
  return *std::move(applied);
}

Value Server::Get(const Resource& resource, std::string_view name) {
  auto found = client_->Get(resource, KeyFor(name), {});
  REQUIRE_MESSAGE(found.ok(), found.status().ToString());
  return *std::move(found);
}

Value Server::Patch(const Resource& resource, std::string_view name, PatchType type, const Value& patch,
                    std::string_view subresource) {
  auto patched = client_->Patch(resource, KeyFor(name), type, patch, "patcher", subresource, {});
  REQUIRE_MESSAGE(patched.ok(), patched.status().ToString());
  return *std::move(patched);
}

absl::Status Server::Delete(const Resource& resource, const Value& object) {
  return client_->Delete(resource, KeyOf(object), {.uid = UidOf(object)}, {});
}

ApiError Server::RefusedApply(const Resource& resource, const Value& body, ApplyOptions options) {
  return ErrorIn(client_->Apply(resource, body, options, {}).status());
}

ApiError Server::RefusedRawApply(const Resource& resource, const Value& body, std::string_view name) {
  const Key key = name.empty() ? KeyOf(body) : KeyFor(name);
  const auto answer = http_->Do({.method = "PATCH",
                                 .target = ObjectPath(resource, key) + "?fieldManager=applier&force=true",
                                 .content_type = "application/apply-patch+yaml",
                                 .body = json::Dump(body)},
                                {});
  REQUIRE_MESSAGE(answer.ok(), answer.status().ToString());
  REQUIRE(answer->status >= 400);
  return ErrorIn(ErrorOf(*answer, "apply"));
}

ApiError Server::RefusedCreate(const Resource& resource, const Value& body) {
  return ErrorIn(client_->Create(resource, body, "creator", {}).status());
}

ApiError Server::RefusedPatch(const Resource& resource, std::string_view name, PatchType type, const Value& patch) {
  return ErrorIn(client_->Patch(resource, KeyFor(name), type, patch, "patcher", "", {}).status());
}

std::string VersionOf(const Value& object) { return std::string(object.StringAt({"metadata", "resourceVersion"})); }
std::string UidOf(const Value& object) { return std::string(object.StringAt({"metadata", "uid"})); }
std::int64_t GenerationOf(const Value& object) { return object.IntAt({"metadata", "generation"}); }

std::string OwnedBy(const Value& object, std::string_view manager, std::string_view operation,
                    std::string_view subresource) {
  const Value* entries = object.FindPath({"metadata", "managedFields"});
  if (!entries || !entries->array()) return "";
  for (const Value& entry : *entries->array()) {
    if (entry.StringAt({"manager"}) == manager && entry.StringAt({"operation"}) == operation &&
        entry.StringAt({"subresource"}) == subresource) {
      return json::Dump(*entry.Find("fieldsV1"));
    }
  }
  return "";
}

}  // namespace restate::kube::testing

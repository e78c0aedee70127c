// The client against a running Restate: that the SQL, the registration and the deregistration are what the server
// knows. tests/lab/restate_test.py runs it and sets
//   RESTATE_LAB_ADMIN_URL     http://host:9070
//   RESTATE_LAB_INGRESS_URL   http://host:8080
//   RESTATE_LAB_NODE          host:5122, of a cluster of one node that has been provisioned
//   RESTATE_LAB_SERVICE_URIS  two URIs, comma separated, as Restate reaches them: two versions of a service `Greeter`,
//                             whose handler `slow` takes seconds and sleeps that long by the SDK (tests/lab/images)
// Without them every case fails.
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "restate/admin/client.h"
#include "restate/admin/node_client.h"
#include "restate/base/error.h"

namespace restate::admin {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  REQUIRE_MESSAGE((value && *value), name, " is not set: run tests/lab/restate_test.py");
  return value;
}

absl::StatusOr<std::unique_ptr<kube::HttpClient>> MakeHttp(const std::string& origin) {
  return kube::NewHttpClient({.base_url = origin, .tls = {}, .bearer_token = {}, .proxy_url = {}});
}

struct Lab {
  Lab() {
    endpoint = EndpointOfUrl(Environment("RESTATE_LAB_ADMIN_URL"), true).value();
    const auto uris = Environment("RESTATE_LAB_SERVICE_URIS");
    const auto comma = uris.find(',');
    v1 = uris.substr(0, comma);
    v2 = comma == std::string::npos ? "" : uris.substr(comma + 1);
  }

  absl::StatusOr<Registration> Register(const std::string& uri, bool force) {
    return client.Register(endpoint, {.uri = uri, .force = force, .use_http_11 = {}}, {});
  }
  std::string Latest() { return client.Query(endpoint, false, {}).value().latest.at("Greeter"); }

  // Starts `count` calls that sleep for a minute.
  void StartWork(int count) {
    auto http = MakeHttp(Environment("RESTATE_LAB_INGRESS_URL"));
    REQUIRE(http.ok());
    for (int i = 0; i < count; ++i) {
      const auto sent = (*http)->Do(
          {.method = "POST", .target = "/Greeter/slow/send", .content_type = "application/json", .body = "60"}, {});
      REQUIRE(sent.ok());
      REQUIRE(sent->status / 100 == 2);
    }
  }

  // The use of a deployment, once it has so many pinned invocations: the SDK pins with the first journaled step.
  DeploymentUse WaitForPinned(const std::string& id, std::int64_t count) {
    for (;;) {
      const auto use = client.Query(endpoint, true, {}).value().deployments.at(id);
      if (use.PinnedTotal() >= count || !Clock::Real().Sleep(std::chrono::milliseconds(50), {})) return use;
    }
  }

  AdminClient client{MakeHttp};
  Endpoint endpoint;
  std::string v1, v2;
};

TEST_CASE("a real Restate answers the usage query") {
  Lab lab;
  for (const bool count_unpinned : {false, true}) {
    const auto look = lab.client.Query(lab.endpoint, count_unpinned, {});
    REQUIRE_MESSAGE(look.ok(), look.status().ToString());
  }
}

TEST_CASE("registration, pinned work, rollback and deregistration in a real Restate" * doctest::timeout(120)) {
  Lab lab;
  REQUIRE_FALSE(lab.v2.empty());
  const auto first = lab.Register(lab.v1, true);
  REQUIRE_MESSAGE(first.ok(), first.status().ToString());
  REQUIRE(lab.Latest() == first->id);
  lab.StartWork(3);
  const auto busy = lab.WaitForPinned(first->id, 3);
  CHECK(busy.latest);
  CHECK(busy.oldest.has_value());
  CHECK(busy.attempts >= 3);

  const auto second = lab.Register(lab.v2, true);
  REQUIRE_MESSAGE(second.ok(), second.status().ToString());
  CHECK(lab.Latest() == second->id);
  const auto old = lab.client.Query(lab.endpoint, false, {}).value().deployments.at(first->id);
  CHECK(old.InUse());
  CHECK_FALSE(old.latest);

  SUBCASE("a plain registration of the old version is no rollback, a forced one is") {
    const auto plain = lab.Register(lab.v1, false);
    REQUIRE(plain.ok());
    CHECK(plain->id == first->id);
    CHECK(lab.Latest() == second->id);
    const auto forced = lab.Register(lab.v1, true);
    REQUIRE(forced.ok());
    CHECK(forced->id == first->id);
    CHECK(lab.Latest() == first->id);
  }

  SUBCASE("deregistering is final, and doing it twice is fine") {
    REQUIRE(lab.client.Forget(lab.endpoint, second->id, {}).ok());
    REQUIRE(lab.client.Forget(lab.endpoint, second->id, {}).ok());
    const auto look = lab.client.Query(lab.endpoint, true, {}).value();
    CHECK_FALSE(look.deployments.contains(second->id));
    CHECK(look.latest.at("Greeter") == first->id);
  }
}

TEST_CASE("a real node says who it is, and that it was provisioned before") {
  NodeClient client;
  const auto address = Environment("RESTATE_LAB_NODE");
  const auto identity = client.GetIdent(address, {});
  REQUIRE_MESSAGE(identity.ok(), identity.status().ToString());
  CHECK(identity->status == NodeStatus::kAlive);
  REQUIRE(identity->node_id);
  CHECK(identity->node_id->id == 1);
  CHECK(identity->node_id->generation >= 1);
  CHECK_FALSE(identity->cluster_name.empty());
  CHECK(identity->metadata_server == MetadataServerStatus::kMember);
  CHECK(identity->Provisioned());
  CHECK(client.Provision(address, {}).ok());
}

TEST_CASE("a real cluster is well: a node that is alive, and every partition with a leader" * doctest::timeout(120)) {
  NodeClient client;
  const auto address = Environment("RESTATE_LAB_NODE");
  auto state = client.GetClusterState(address, {});
  // The partitions start after the node does.
  while (state.ok() && !TroubleIn(*state).empty() && Clock::Real().Sleep(std::chrono::milliseconds(200), {})) {
    state = client.GetClusterState(address, {});
  }
  REQUIRE_MESSAGE(state.ok(), state.status().ToString());
  REQUIRE(state->nodes.size() == 1);
  CHECK(state->nodes.at(1).alive);
  CHECK(state->nodes.at(1).generation >= 1);
  CHECK(state->age < absl::Minutes(1));
  CHECK(state->configured_partitions > 0);
  CHECK(state->partitions.size() == state->configured_partitions);
  for (const auto& [id, partition] : state->partitions) {
    CHECK(partition.processors == 1);
    CHECK(partition.has_leader);
    CHECK(partition.replaying == 0);
    CHECK(partition.broken_on.empty());
  }
}

TEST_CASE("a real Restate's refusals are quoted") {
  Lab lab;
  const auto refused = lab.Register("http://127.0.0.1:1/", false);
  REQUIRE_FALSE(refused.ok());
  CHECK(ReasonOf(refused.status()) == Reason::kAdminCallRejected);
  CHECK(MessageOf(refused.status()).find("META0003") != std::string_view::npos);
  const auto invalid = lab.Register("greeter", false);
  CHECK(MessageOf(invalid.status()).find("answered 400") != std::string_view::npos);
}

}  // namespace
}  // namespace restate::admin

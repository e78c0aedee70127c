// NodeClient against a gRPC server in this process.
#include "restate/admin/node_client.h"

#include <doctest/doctest.h>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "cluster_ctrl.grpc.pb.h"
#include "fake/fake_admin.h"
#include "node_ctl.grpc.pb.h"
#include "restate/base/error.h"

namespace restate::admin {
namespace {

namespace ctl = restate::node_ctl_svc;
namespace ctrl = restate::cluster_ctrl;

// What the node answers, and what it was asked.
struct Script {
  grpc::Status status;  // of every call
  grpc::Status configuration_status;
  ctl::Ident ident;
  ctrl::StateAnswer state;
  ctrl::ConfigurationAnswer configuration;
  bool hang = false;  // until the client gives up

  int calls = 0, given_up = 0;
  std::string provisioning;  // the request's bytes
  std::string peer;          // the client's end of the connection
  std::chrono::system_clock::time_point deadline;
};

// Thread safe.
class Node : public ctl::NodeCtlSvc::Service, public ctrl::ClusterCtrlSvc::Service {
 public:
  template <class Use>
  auto With(Use use) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    return use(script_);
  }
  // Blocks until `is` holds; fails the test after 30 s.
  template <class Is>
  void Await(Is is) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(30), [&] { return is(script_); }));
  }

  grpc::Status GetIdent(grpc::ServerContext* context, const ctl::IdentQuestion*, ctl::Ident* answer) override {
    return Answer(context, [&](Script& script) { *answer = script.ident; });
  }
  grpc::Status ProvisionCluster(grpc::ServerContext* context, const ctl::ProvisionOrder* order,
                                ctl::ProvisionReceipt*) override {
    return Answer(context, [&](Script& script) { script.provisioning = order->SerializeAsString(); });
  }
  grpc::Status GetClusterState(grpc::ServerContext* context, const ctrl::StateQuestion*,
                               ctrl::StateAnswer* answer) override {
    return Answer(context, [&](Script& script) { *answer = script.state; });
  }
  grpc::Status GetClusterConfiguration(grpc::ServerContext*, const ctrl::ConfigurationQuestion*,
                                       ctrl::ConfigurationAnswer* answer) override {
    return With([&](Script& script) {
      *answer = script.configuration;
      return script.configuration_status;
    });
  }

 private:
  template <class Fill>
  grpc::Status Answer(grpc::ServerContext* context, Fill fill) {
    std::unique_lock lock(mutex_);
    fill(script_);
    script_.deadline = context->deadline();
    script_.peer = context->peer();
    ++script_.calls;
    changed_.notify_all();
    if (script_.hang) {
      // gRPC tells nobody who is not asynchronous that the client has gone.
      while (!context->IsCancelled()) changed_.wait_for(lock, std::chrono::milliseconds(5));
      ++script_.given_up;
      changed_.notify_all();
    }
    return script_.status;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  Script script_;
};

struct Fixture {
  Node node;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
  NodeClient client;

  Fixture() { Start(); }
  ~Fixture() {
    if (server) Stop();
  }

  // On the same port as before.
  void Start() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(static_cast<ctl::NodeCtlSvc::Service*>(&node));
    builder.RegisterService(static_cast<ctrl::ClusterCtrlSvc::Service*>(&node));
    server = builder.BuildAndStart();
    REQUIRE(server);
  }
  void Stop() {
    server->Shutdown(std::chrono::system_clock::now());
    server.reset();
  }

  void Set(const std::function<void(Script&)>& change) { node.With(change); }
  template <class T>
  T Get(T Script::*member) {
    return node.With([&](const Script& script) { return script.*member; });
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port); }
  absl::StatusOr<NodeIdentity> Ident(std::stop_token stop = {}) { return client.GetIdent(address(), std::move(stop)); }
  NodeIdentity Identity() {
    const auto identity = Ident();
    REQUIRE_MESSAGE(identity.ok(), identity.status().ToString());
    return *identity;
  }
};

bool Has(const absl::Status& status, std::string_view part) {
  INFO(MessageOf(status));
  return MessageOf(status).find(part) != std::string_view::npos;
}

TEST_CASE_FIXTURE(Fixture, "a node that waits to be provisioned, one that was, and one that is still starting") {
  const auto say = [this](ctl::Ident::MetadataServer status) {
    Set([&](Script& script) { script.ident.set_metadata_server(status); });
  };
  Set([](Script& script) {
    script.ident.set_status(ctl::Ident::STARTING_UP);
    script.ident.set_cluster_name("shop");
  });
  say(ctl::Ident::METADATA_SERVER_STARTING_UP);
  CHECK_FALSE(Identity().AwaitsProvisioning());
  CHECK_FALSE(Identity().Provisioned());
  say(ctl::Ident::AWAITING_PROVISIONING);
  CHECK(Identity().status == NodeStatus::kStartingUp);
  CHECK(Identity().cluster_name == "shop");
  CHECK(Identity().AwaitsProvisioning());
  CHECK_FALSE(Identity().Provisioned());

  SUBCASE("a member of the metadata cluster is provisioned") {
    say(ctl::Ident::MEMBER);
    CHECK(Identity().Provisioned());
  }
  SUBCASE("so is one that stands by") {
    say(ctl::Ident::STANDBY);
    CHECK(Identity().Provisioned());
  }
  SUBCASE("so is one with an id, whatever its metadata server says") {
    Set([](Script& script) {
      script.ident.mutable_node_id()->set_id(2);
      script.ident.mutable_node_id()->set_generation(3);
    });
    CHECK(Identity().Provisioned());
    CHECK_FALSE(Identity().AwaitsProvisioning());
    CHECK(Identity().node_id->id == 2);
    CHECK(Identity().node_id->generation == 3);
  }
}

TEST_CASE_FIXTURE(Fixture, "fields and values that later versions add are no trouble") {
  Set([](Script& script) {
    script.ident.set_status(static_cast<ctl::Ident::Status>(77));
    script.ident.set_metadata_server(static_cast<ctl::Ident::MetadataServer>(77));
    script.ident.mutable_node_id()->set_id(1);
    const std::string roles =
                          "\x22\x05"
                          "admin",
                      field_100 = "\xa0\x06\x07";
    script.ident.ParseFromString(script.ident.SerializeAsString() + roles + field_100);
  });
  CHECK(Identity().status == NodeStatus::kUnknown);
  CHECK(Identity().metadata_server == MetadataServerStatus::kUnknown);
  CHECK(Identity().node_id->id == 1);
}

TEST_CASE_FIXTURE(Fixture, "provisioning sends nothing but the wish, and is done when it was done before") {
  const auto answer = [this](grpc::StatusCode code, const char* message) {
    Set([&](Script& script) { script.status = grpc::Status(code, message); });
  };
  Set([](Script& script) { script.provisioning = "not called"; });
  CHECK(client.Provision(address(), {}).ok());
  CHECK(Get(&Script::provisioning).empty());
  answer(grpc::StatusCode::ALREADY_EXISTS, "The cluster has already been provisioned");
  CHECK(client.Provision(address(), {}).ok());
  answer(grpc::StatusCode::INTERNAL, "no quorum");
  const auto failed = client.Provision(address(), {});
  CHECK(ReasonOf(failed) == Reason::kAdminCallRejected);
  CHECK(MessageOf(failed) == address() + ": ProvisionCluster: INTERNAL: no quorum");
  CHECK(Get(&Script::calls) == 3);  // none was repeated
}

TEST_CASE_FIXTURE(Fixture, "a node that is not ready has not refused; what it says is quoted, cleaned and cut") {
  Set([](Script& script) {
    script.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "not\n\x1b[31mready\xff" + std::string(600, 'x'));
  });
  const auto failed = client.GetClusterState(address(), {}).status();
  CHECK(ReasonOf(failed) == Reason::kAdminCallFailed);
  CHECK(Has(failed, address() + ": GetClusterState: UNAVAILABLE: not  [31mready?xxx"));
  CHECK(MessageOf(failed).size() < 600);
  CHECK(Get(&Script::calls) == 1);
}

TEST_CASE_FIXTURE(Fixture, "a node without this method refuses") {
  Set([](Script& script) { script.configuration_status = grpc::Status(grpc::StatusCode::UNIMPLEMENTED, ""); });
  const auto failed = client.GetClusterState(address(), {}).status();
  CHECK(ReasonOf(failed) == Reason::kAdminCallRejected);
  CHECK(Has(failed, "GetClusterConfiguration: UNIMPLEMENTED"));
}

ctrl::Processor Processor(ctrl::Processor::Mode mode, ctrl::Processor::Replay replay) {
  ctrl::Processor processor;
  processor.set_effective_mode(mode);
  processor.set_replay(replay);
  return processor;
}

ctrl::State TwoAliveOneDead() {
  using P = ctrl::Processor;
  ctrl::State state;
  state.mutable_age()->set_seconds(2);
  state.mutable_age()->set_nanos(500'000'000);
  auto& first = *(*state.mutable_nodes())[1].mutable_alive();
  first.mutable_id()->set_id(1);
  first.mutable_id()->set_generation(4);
  (*first.mutable_partitions())[0] = Processor(P::LEADER, P::ACTIVE);
  (*first.mutable_partitions())[1] = Processor(P::FOLLOWER, P::CATCHING_UP);
  auto& third = *(*state.mutable_nodes())[3].mutable_alive();
  (*third.mutable_partitions())[0] = Processor(P::FOLLOWER, P::ACTIVE);
  (*third.mutable_partitions())[1] = Processor(P::FOLLOWER, P::ACTIVE);
  (*third.mutable_partitions())[1].set_broken(1);
  (*state.mutable_nodes())[2].mutable_dead()->mutable_last_seen_alive()->set_seconds(1'700'000'000);
  return state;
}

TEST_CASE_FIXTURE(Fixture, "the state: nodes, and what those alive say of the partitions") {
  Set([](Script& script) {
    *script.state.mutable_state() = TwoAliveOneDead();
    script.configuration.mutable_configuration()->set_num_partitions(3);
  });
  const auto seen = client.GetClusterState(address(), {});
  REQUIRE_MESSAGE(seen.ok(), seen.status().ToString());
  CHECK(seen->age == absl::Milliseconds(2500));
  CHECK(seen->configured_partitions == 3);
  REQUIRE(seen->nodes.size() == 3);
  CHECK(seen->nodes.at(1).alive);
  CHECK(seen->nodes.at(1).generation == 4);
  CHECK_FALSE(seen->nodes.at(2).alive);
  CHECK(seen->nodes.at(2).last_seen_alive == absl::FromUnixSeconds(1'700'000'000));
  CHECK_FALSE(seen->nodes.at(1).last_seen_alive);
  REQUIRE(seen->partitions.size() == 2);
  CHECK(seen->partitions.at(0).has_leader);
  CHECK(seen->partitions.at(0).processors == 2);
  CHECK(seen->partitions.at(0).replaying == 0);
  CHECK_FALSE(seen->partitions.at(1).has_leader);
  CHECK(seen->partitions.at(1).replaying == 1);
  CHECK(seen->partitions.at(1).broken_on == std::set<std::uint32_t>{3});
}

TEST_CASE_FIXTURE(Fixture, "an answer that is too large is none") {
  Set([](Script& script) {  // field 100, 8 MiB
    script.state.ParseFromString("\xa2\x06\x80\x80\x80\x04" + std::string(8u << 20, 'x'));
  });
  const auto failed = client.GetClusterState(address(), {}).status();
  CHECK(ReasonOf(failed) == Reason::kAdminCallFailed);
  CHECK(Has(failed, "RESOURCE_EXHAUSTED"));
}

TEST_CASE_FIXTURE(Fixture, "a call that hangs ends when it is stopped, at the node as well") {
  Set([](Script& script) { script.hang = true; });
  std::stop_source stop;
  std::jthread stopping([&] {
    node.Await([](const Script& script) { return script.calls > 0; });
    stop.request_stop();
  });
  CHECK(ReasonOf(Ident(stop.get_token()).status()) == Reason::kStopped);
  node.Await([](const Script& script) { return script.given_up == 1; });
  CHECK(ReasonOf(Ident(stop.get_token()).status()) == Reason::kStopped);
  CHECK(Get(&Script::calls) == 1);
}

TEST_CASE_FIXTURE(Fixture, "every call has a time limit, which the node knows") {
  const auto limit = [this] { return Get(&Script::deadline) - std::chrono::system_clock::now(); };
  constexpr auto kRounding = std::chrono::seconds(1);  // gRPC sends long limits in coarse units
  REQUIRE(Ident().ok());
  CHECK(limit() <= std::chrono::seconds(5) + kRounding);
  REQUIRE(client.GetClusterState(address(), {}).ok());
  CHECK(limit() <= std::chrono::seconds(10) + kRounding);
  REQUIRE(client.Provision(address(), {}).ok());
  CHECK(limit() <= std::chrono::seconds(30) + kRounding);
}

TEST_CASE_FIXTURE(Fixture, "no call meets the connection of an earlier one, which the node may have closed since") {
  REQUIRE(Ident().ok());
  const std::string first = Get(&Script::peer);
  REQUIRE(Ident().ok());
  CHECK(Get(&Script::peer) != first);
}

TEST_CASE_FIXTURE(Fixture, "a refused connection is reported at once, and its end noticed by the next call") {
  Stop();
  for (int i = 0; i < 10; ++i) {
    const auto failed = Ident().status();
    CHECK(ReasonOf(failed) == Reason::kAdminCallFailed);
    CHECK(Has(failed, address() + ": GetIdent: UNAVAILABLE: "));
  }
  Start();
  CHECK(Ident().ok());
}

TEST_CASE("a name that does not resolve, a server that speaks something else") {
  NodeClient client;
  const auto nowhere = client.GetIdent("node.invalid:5122", {}).status();
  CHECK(ReasonOf(nowhere) == Reason::kAdminCallFailed);
  fake::FakeAdmin http;
  const std::string address = http.url().substr(std::string("http://").size());
  const auto other = client.GetIdent(address, {}).status();
  CHECK(ReasonOf(other) == Reason::kAdminCallFailed);
  CHECK(Has(other, address + ": GetIdent: "));
}

}  // namespace
}  // namespace restate::admin

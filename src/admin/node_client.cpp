#include "restate/admin/node_client.h"

#include <grpcpp/grpcpp.h>

#include <array>
#include <map>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cluster_ctrl.grpc.pb.h"
#include "node_ctl.grpc.pb.h"
#include "quote.h"
#include "restate/base/error.h"
#include "restate/base/guarded.h"

namespace restate::admin {
namespace {

namespace ctl = restate::node_ctl_svc;
namespace ctrl = restate::cluster_ctrl;

using std::chrono::seconds;
using WallClock = std::chrono::system_clock;  // gRPC's deadlines

constexpr auto kIdentTimeout = seconds(5);
constexpr auto kProvisionTimeout = seconds(30);
constexpr auto kStateTimeout = seconds(10);
constexpr int kConnectMs = 10'000;
constexpr int kMaxAnswer = 4 << 20;  // a partition takes 100 bytes per node
constexpr auto kIdle = std::chrono::minutes(10);

using ChannelPtr = std::shared_ptr<grpc::Channel>;

ChannelPtr Dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // nodes are beside us
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);  // which is the limit for connecting, too
  // Without it, a new channel would share the connections of the one before, and their back-off.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(kMaxAnswer);
  // The scheme is given: without it, gRPC looks for one in the address.
  const std::string target = "dns:///" + address;
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

// Names of the codes 0 to 16 of the gRPC protocol.
std::string_view NameOf(grpc::StatusCode code) {
  constexpr std::array<std::string_view, 17> kNames = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto index = static_cast<std::size_t>(code);
  return index < kNames.size() ? kNames[index] : "an unknown code";
}

absl::string_view Text(std::string_view text) { return {text.data(), text.size()}; }

// Nobody answered, or somebody who cannot now. Anything else is the node's own word.
bool Unanswered(grpc::StatusCode code) {
  using enum grpc::StatusCode;
  return code == UNAVAILABLE || code == DEADLINE_EXCEEDED || code == CANCELLED || code == RESOURCE_EXHAUSTED ||
         code == ABORTED || code == UNKNOWN;
}

NodeStatus StatusOf(ctl::Ident::Status status) {
  switch (status) {
    case ctl::Ident::ALIVE: return NodeStatus::kAlive;
    case ctl::Ident::STARTING_UP: return NodeStatus::kStartingUp;
    case ctl::Ident::SHUTTING_DOWN: return NodeStatus::kShuttingDown;
    default: return NodeStatus::kUnknown;
  }
}

MetadataServerStatus StatusOf(ctl::Ident::MetadataServer status) {
  switch (status) {
    case ctl::Ident::METADATA_SERVER_STARTING_UP: return MetadataServerStatus::kStartingUp;
    case ctl::Ident::AWAITING_PROVISIONING: return MetadataServerStatus::kAwaitingProvisioning;
    case ctl::Ident::MEMBER: return MetadataServerStatus::kMember;
    case ctl::Ident::STANDBY: return MetadataServerStatus::kStandby;
    default: return MetadataServerStatus::kUnknown;
  }
}

NodeIdentity IdentityOf(const ctl::Ident& answer) {
  NodeIdentity identity{.status = StatusOf(answer.status()),
                        .node_id = {},
                        .cluster_name = Quotable(answer.cluster_name()),
                        .metadata_server = StatusOf(answer.metadata_server())};
  if (answer.has_node_id()) {
    identity.node_id = NodeId{.id = answer.node_id().id(), .generation = answer.node_id().generation()};
  }
  return identity;
}

absl::Duration DurationOf(const ctrl::Span& span) {
  return absl::Seconds(span.seconds()) + absl::Nanoseconds(span.nanos());
}

void AddProcessor(std::uint32_t node, const ctrl::Processor& processor, PartitionState& partition) {
  ++partition.processors;
  if (processor.effective_mode() == ctrl::Processor::LEADER) partition.has_leader = true;
  if (processor.replay() != ctrl::Processor::ACTIVE) ++partition.replaying;
  if (processor.broken() != 0) partition.broken_on.insert(node);
}

NodesState StateOf(const ctrl::State& answer, const ctrl::Configuration& configuration) {
  NodesState state;
  state.age = DurationOf(answer.age());
  state.configured_partitions = configuration.num_partitions();
  for (const auto& [id, node] : answer.nodes()) {
    NodeState& known = state.nodes[id];
    known.alive = node.has_alive();
    known.generation = node.alive().id().generation();
    if (node.dead().has_last_seen_alive()) {
      known.last_seen_alive = absl::UnixEpoch() + DurationOf(node.dead().last_seen_alive());
    }
    for (const auto& [partition, processor] : node.alive().partitions()) {
      AddProcessor(id, processor, state.partitions[partition]);
    }
  }
  return state;
}

}  // namespace

struct NodeClient::Impl {
  explicit Impl(Clock& time) : clock(time) {}

  // One call; `send` makes it on the channel.
  template <class Send>
  absl::Status Call(const std::string& address, std::string_view method, WallClock::time_point until,
                    const std::stop_token& stop, Send send) {
    const auto stopped = [&] { return MakeError(Reason::kStopped, address + ": the call was stopped"); };
    if (stop.stop_requested()) return stopped();
    const ChannelPtr channel = ChannelTo(address);
    grpc::ClientContext context;
    context.set_deadline(until);
    grpc::Status status;
    {
      const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
      status = send(channel, &context);
    }
    if (status.ok()) return absl::OkStatus();
    const bool unanswered = Unanswered(status.error_code());
    // The node may have another IP address by now, or gRPC's back-off may outlast its absence.
    if (unanswered) Drop(address, channel);
    if (stop.stop_requested()) return stopped();
    return MakeError(unanswered ? Reason::kAdminCallFailed : Reason::kAdminCallRejected,
                     absl::StrCat(address, ": ", Text(method), ": ", Text(NameOf(status.error_code())), ": ",
                                  Quotable(status.error_message())));
  }

  ChannelPtr ChannelTo(const std::string& address) {
    std::vector<ChannelPtr> idle;  // destroyed after the lock is released
    const std::lock_guard lock(mutex);
    const auto now = clock.Now();
    std::erase_if(channels, [&](auto& item) {
      if (now - item.second.used < kIdle) return false;
      idle.push_back(std::move(item.second.channel));
      return true;
    });
    Connection& connection = channels[address];
    if (!connection.channel) connection.channel = Dial(address);  // returns before it is connected
    connection.used = now;
    return connection.channel;
  }

  void Drop(const std::string& address, const ChannelPtr& channel) {
    const std::lock_guard lock(mutex);
    const auto found = channels.find(address);
    if (found != channels.end() && found->second.channel == channel) channels.erase(found);
  }

  struct Connection {
    ChannelPtr channel;
    Clock::TimePoint used;
  };

  Clock& clock;
  std::mutex mutex;
  std::map<std::string, Connection> channels GUARDED_BY(mutex);  // by address
};

NodeClient::NodeClient(Clock& clock) : impl_(std::make_unique<Impl>(clock)) {}
NodeClient::~NodeClient() = default;

absl::StatusOr<NodeIdentity> NodeClient::GetIdent(const std::string& address, std::stop_token stop) {
  ctl::Ident answer;
  RETURN_IF_ERROR(impl_->Call(
      address, "GetIdent", WallClock::now() + kIdentTimeout, stop,
      [&](auto channel, auto* context) { return ctl::NodeCtlSvc::NewStub(channel)->GetIdent(context, {}, &answer); }));
  return IdentityOf(answer);
}

absl::Status NodeClient::Provision(const std::string& address, std::stop_token stop) {
  const auto until = WallClock::now() + kProvisionTimeout;
  return impl_->Call(address, "ProvisionCluster", until, stop, [](auto channel, auto* context) {
    ctl::ProvisionReceipt receipt;
    const auto status = ctl::NodeCtlSvc::NewStub(channel)->ProvisionCluster(context, {}, &receipt);
    return status.error_code() == grpc::StatusCode::ALREADY_EXISTS ? grpc::Status::OK : status;
  });
}

absl::StatusOr<NodesState> NodeClient::GetClusterState(const std::string& address, std::stop_token stop) {
  const auto until = WallClock::now() + kStateTimeout;
  ctrl::StateAnswer answer;
  RETURN_IF_ERROR(impl_->Call(address, "GetClusterState", until, stop, [&](auto channel, auto* context) {
    return ctrl::ClusterCtrlSvc::NewStub(channel)->GetClusterState(context, {}, &answer);
  }));
  ctrl::ConfigurationAnswer configured;
  RETURN_IF_ERROR(impl_->Call(address, "GetClusterConfiguration", until, stop, [&](auto channel, auto* context) {
    return ctrl::ClusterCtrlSvc::NewStub(channel)->GetClusterConfiguration(context, {}, &configured);
  }));
  return StateOf(answer.state(), configured.configuration());
}

}  // namespace restate::admin

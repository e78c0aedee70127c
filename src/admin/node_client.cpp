#include "restate/admin/node_client.h"

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>
#include <spdlog/spdlog.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cluster_ctrl.grpc.pb.h"
#include "node_ctl.grpc.pb.h"
#include "quote.h"
#include "restate/base/error.h"

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

using ChannelPtr = std::shared_ptr<grpc::Channel>;

ChannelPtr Dial(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // nodes are beside us
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);  // which is the limit for connecting, too
  // Without it, channels to one address would share their connections and the back-off after a failure.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(kMaxAnswer);
  // The scheme is given: without it, gRPC looks for one in the address.
  const std::string target = "dns:///" + address;
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

// gRPC would write to the standard error by itself, in its own format.
void Log(gpr_log_func_args* line) {
  if (line->severity == GPR_LOG_SEVERITY_ERROR) spdlog::warn("gRPC: {}", Quotable(line->message));
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

// With one node, over a connection of its own. A kept one would fail the first call after the node has closed it, which
// gRPC does not see while nobody calls, and would go on trying the IP address of a pod that is no more.
class Conversation {
 public:
  Conversation(const std::string& address, WallClock::duration limit, std::stop_token stop)
      : address_(address), until_(WallClock::now() + limit), stop_(std::move(stop)) {}

  // `send` makes the call on a channel.
  template <class Send>
  absl::Status Call(std::string_view method, Send send) {
    if (stop_.stop_requested()) return Stopped();
    if (!channel_) channel_ = Dial(address_);  // returns before it is connected
    grpc::ClientContext context;
    context.set_deadline(until_);
    grpc::Status status;
    {
      const std::stop_callback cancel(stop_, [&context] { context.TryCancel(); });
      status = send(channel_, &context);
    }
    if (status.ok()) return absl::OkStatus();
    if (stop_.stop_requested()) return Stopped();
    return MakeError(Unanswered(status.error_code()) ? Reason::kAdminCallFailed : Reason::kAdminCallRejected,
                     absl::StrCat(address_, ": ", Text(method), ": ", Text(NameOf(status.error_code())), ": ",
                                  Quotable(status.error_message())));
  }

 private:
  absl::Status Stopped() const { return MakeError(Reason::kStopped, address_ + ": the call was stopped"); }

  const std::string& address_;
  const WallClock::time_point until_;
  const std::stop_token stop_;
  ChannelPtr channel_;
};

}  // namespace

NodeClient::NodeClient() { gpr_set_log_function(Log); }

absl::StatusOr<NodeIdentity> NodeClient::GetIdent(const std::string& address, std::stop_token stop) {
  Conversation node(address, kIdentTimeout, std::move(stop));
  ctl::Ident answer;
  RETURN_IF_ERROR(node.Call("GetIdent", [&](const ChannelPtr& channel, grpc::ClientContext* context) {
    return ctl::NodeCtlSvc::NewStub(channel)->GetIdent(context, {}, &answer);
  }));
  return IdentityOf(answer);
}

absl::Status NodeClient::Provision(const std::string& address, std::stop_token stop) {
  Conversation node(address, kProvisionTimeout, std::move(stop));
  return node.Call("ProvisionCluster", [](const ChannelPtr& channel, grpc::ClientContext* context) {
    ctl::ProvisionReceipt receipt;
    const auto status = ctl::NodeCtlSvc::NewStub(channel)->ProvisionCluster(context, {}, &receipt);
    return status.error_code() == grpc::StatusCode::ALREADY_EXISTS ? grpc::Status::OK : status;
  });
}

absl::StatusOr<NodesState> NodeClient::GetClusterState(const std::string& address, std::stop_token stop) {
  Conversation node(address, kStateTimeout, std::move(stop));
  ctrl::StateAnswer answer;
  RETURN_IF_ERROR(node.Call("GetClusterState", [&](const ChannelPtr& channel, grpc::ClientContext* context) {
    return ctrl::ClusterCtrlSvc::NewStub(channel)->GetClusterState(context, {}, &answer);
  }));
  ctrl::ConfigurationAnswer configured;
  RETURN_IF_ERROR(node.Call("GetClusterConfiguration", [&](const ChannelPtr& channel, grpc::ClientContext* context) {
    return ctrl::ClusterCtrlSvc::NewStub(channel)->GetClusterConfiguration(context, {}, &configured);
  }));
  return StateOf(answer.state(), configured.configuration());
}

}  // namespace restate::admin

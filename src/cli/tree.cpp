#include "restate/cli/tree.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "condition.h"
#include "restate/admin/endpoint.h"
#include "restate/base/error.h"
#include "restate/crd/kinds.h"
#include "restate/crd/restate_deployment.h"
#include "restate/plan/conditions.h"
#include "restate/schema/codec.h"

namespace restate::cli {
namespace {

using crd::VersionPhase;
constexpr std::string_view kVersion = "Version", kService = "Service", kUrl = "URL";

State StateOf(VersionPhase phase) {
  switch (phase) {
    case VersionPhase::kCurrent: return State::kCurrent;
    case VersionPhase::kDraining: return State::kDraining;
    case VersionPhase::kDrained: return State::kDrained;
    case VersionPhase::kRemoving: return State::kRemoving;
  }
  return State::kNone;
}

std::optional<absl::Time> Since(const json::Value& object, State state) {
  switch (state) {
    case State::kDeleting: return TimeAt(object, {"metadata", "deletionTimestamp"});
    case State::kSuspended: return SinceOf(plan::ConditionIn(object, "Reconciling"));
    case State::kStalled: return SinceOf(plan::ConditionIn(object, "Stalled"));
    default: return SinceOf(plan::ConditionIn(object, "Ready"));
  }
}

Node NodeOf(const crd::Kind& kind, const json::Value& object) {
  const kube::Key key = kube::KeyOf(object);
  const State state = cli::StateOf(object);
  return {.kind = std::string(kind.kind),
          .ns = key.ns,
          .name = key.name,
          .state = state,
          .since = Since(object, state),
          .waits = WaitsOf(object)};
}

// Of RestateClusters and RestateCloudEnvironments.
Node ServerNode(const crd::Kind& kind, const json::Value& object) {
  Node node = NodeOf(kind, object);
  if (!object.FindPath({"status", "replicas"})) return node;
  node.pods = Pods{object.IntAt({"status", "readyReplicas"}), object.IntAt({"status", "replicas"})};
  // Where the spec wants more pods than there are.
  const auto wanted = kind.kind == crd::kRestateCluster.kind ? object.IntAt({"spec", "compute", "replicas"})
                                                             : object.IntAt({"spec", "tunnel", "replicas"});
  node.pods->wanted = std::max(node.pods->wanted, wanted);
  return node;
}

bool IsHistory(const crd::VersionStatus& version) {
  return version.phase == VersionPhase::kDrained && version.replicas == 0;
}

Node VersionNode(const crd::VersionStatus& version, const crd::RestateDeploymentStatus& status, const std::string& ns,
                 const Objects& objects) {
  Node node{.kind = std::string(kVersion),
            .ns = ns,
            .name = version.name,
            .state = StateOf(version.phase),
            .deployment_id = version.deployment_id.value_or(""),
            .images = version.images.value_or(std::vector<std::string>()),
            .invocations = version.invocations.value_or(std::map<std::string, std::int64_t>()),
            .oldest_invocation = version.oldest_invocation,
            .removed_at = version.removed_at};
  // Its time is over: it is kept for a rollback, without pods.
  if (IsHistory(version)) node.removed_at.reset();
  if (version.message) node.waits.push_back({"Version", "", *version.message, std::nullopt});
  if (version.replicas) {
    node.pods = Pods{std::nullopt, *version.replicas};
    const auto ready = objects.ready_pods.find({ns, version.name});
    if (ready != objects.ready_pods.end()) node.pods->ready = ready->second;
    if (version.phase == VersionPhase::kCurrent) node.pods->ready = status.ready_replicas.value_or(0);
    if (node.pods->wanted == 0) node.pods->ready = node.pods->ready.value_or(0);
  }
  return node;
}

Node DeploymentNode(const json::Value& object, const Objects& objects) {
  Node node = NodeOf(crd::kRestateDeployment, object);
  const json::Value* told = object.Find("status");
  const auto status = schema::Decode<crd::RestateDeploymentStatus>(told ? *told : json::Value(), "status");
  if (!status.ok()) return node;
  if (status->desired_replicas) node.pods = Pods{status->ready_replicas.value_or(0), *status->desired_replicas};
  node.deployment_id = status->deployment_id.value_or("");
  if (status->deletion) node.removed_at = status->deletion->deadline;
  for (const crd::VersionStatus& version : status->versions.value_or(std::vector<crd::VersionStatus>())) {
    node.children.push_back(VersionNode(version, *status, node.ns, objects));
  }
  return node;
}

// The Restate that a RestateDeployment registers with, as far as its spec says. A URL is shown without what could be a
// secret in it: one with user info or a query is refused by the operator anyway.
Node TargetOf(const json::Value& deployment) {
  const json::Value* found = deployment.FindPath({"spec", "restate", "register"});
  const json::Value target = found ? *found : json::Value();
  if (const auto name = target.StringAt({"cluster"}); !name.empty())
    return {.kind = std::string(crd::kRestateCluster.kind), .name = std::string(name)};
  if (const auto name = target.StringAt({"cloud"}); !name.empty())
    return {.kind = std::string(crd::kRestateCloudEnvironment.kind), .name = std::string(name)};
  if (const json::Value* service = target.Find("service")) {
    const auto port = service->IntAt({"port"}, crd::kDefaultAdminPort);
    return {.kind = std::string(kService),
            .ns = std::string(service->StringAt({"namespace"})),
            .name = absl::StrCat(std::string(service->StringAt({"name"})),
                                 port == crd::kDefaultAdminPort ? "" : absl::StrCat(":", port),
                                 std::string(service->StringAt({"path"})))};
  }
  const auto endpoint = admin::EndpointOfUrl(target.StringAt({"url"}), true);
  return {.kind = std::string(kUrl), .name = endpoint.ok() ? endpoint->ToString() : "(not usable)"};
}

// In the order in which they are shown.
using RootKey = std::tuple<int, std::string, std::string>;  // rank of the kind, namespace, name
using Roots = std::map<RootKey, Node>;

RootKey KeyOf(const Node& root) {
  constexpr std::array kOrder{crd::kRestateCluster.kind, crd::kRestateCloudEnvironment.kind, kService, kUrl};
  const auto rank = std::find(kOrder.begin(), kOrder.end(), root.kind) - kOrder.begin();
  return {static_cast<int>(rank), root.ns, root.name};
}

void AddServers(const crd::Kind& kind, const json::Array& objects, Roots& roots) {
  for (const json::Value& object : objects) {
    Node node = ServerNode(kind, object);
    roots.insert_or_assign(KeyOf(node), std::move(node));
  }
}

// The Restate that is not among the objects: not there, not to be seen, or none of ours.
void MarkAbsent(const Objects& objects, Node& root) {
  const bool cluster = root.kind == crd::kRestateCluster.kind;
  if (!cluster && root.kind != crd::kRestateCloudEnvironment.kind) return;
  const bool seen = cluster ? objects.sees_clusters : objects.sees_environments;
  root.state = seen ? State::kMissing : State::kUnseen;
}

bool Selects(const Selection& selection, const Node& node) {
  return (selection.kind.empty() || selection.kind == node.kind) &&
         (selection.name.empty() || selection.name == node.name);
}

}  // namespace

std::string_view NameOf(State state) {
  constexpr std::array<std::string_view, 13> kNames{
      "",        "Ready",  "Waiting", "Stalled",  "Suspended", "ScaledToZero", "Deleting",
      "Missing", "Unseen", "Current", "Draining", "Drained",   "Removing"};
  return kNames.at(static_cast<std::size_t>(state));
}

Tree MakeTree(const Objects& objects, const Selection& selection) {
  Roots roots;
  AddServers(crd::kRestateCluster, objects.clusters, roots);
  AddServers(crd::kRestateCloudEnvironment, objects.environments, roots);
  for (const json::Value& object : objects.deployments) {
    Node service = DeploymentNode(object, objects);
    Node target = TargetOf(object);
    const auto [root, fresh] = roots.try_emplace(KeyOf(target), target);
    if (fresh) MarkAbsent(objects, root->second);
    root->second.children.push_back(std::move(service));
  }
  Tree tree{.roots = {}, .notes = objects.notes};
  for (auto& [unused, root] : roots) {
    auto& services = root.children;
    if (!Selects(selection, root)) std::erase_if(services, [&](const Node& n) { return !Selects(selection, n); });
    if (services.empty() && !Selects(selection, root)) continue;
    std::sort(services.begin(), services.end(),
              [](const Node& a, const Node& b) { return std::tie(a.ns, a.name) < std::tie(b.ns, b.name); });
    tree.roots.push_back(std::move(root));
  }
  return tree;
}

}  // namespace restate::cli

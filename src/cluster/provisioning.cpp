#include "restate/cluster/provisioning.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "announce.h"
#include "restate/cluster/gates.h"
#include "restate/plan/verdict.h"
#include "steps.h"

namespace restate::cluster {
namespace {

constexpr absl::Duration kAskAgain = absl::Seconds(2);
constexpr Clock::Duration kFreshLook = std::chrono::seconds(1);
// Of a look that only confirms that all is as it was: a little less than the time between two steady passes.
constexpr Clock::Duration kSteadyLook = std::chrono::seconds(290);

bool WasReady(const Observed& seen) {
  return seen.status && seen.status->observed_generation == seen.object->generation() && plan::IsReady(*seen.object);
}

const Pod* FirstPod(const Observed& seen) {
  const auto first = std::find_if(seen.pods.begin(), seen.pods.end(), [](const Pod& pod) { return pod.ordinal == 0; });
  return first == seen.pods.end() ? nullptr : &*first;
}

std::string PodOrAddress(const Observed& seen, std::string_view address) {
  for (const Pod& pod : seen.pods) {
    if (NodeAddress(seen, pod.ordinal) == address) return pod.object->key().name;
  }
  return std::string(address);
}

void Wait(ClusterPlan& plan, Reason reason, std::string message) {
  if (!plan.wait) plan.wait = plan::Wait{reason, std::move(message)};
  plan.LookAgainIn(kAskAgain);
}

// A volume from before this object may hold the data of a cluster that is to be found again (guarantees S4): a new
// cluster beside it would be two. A node that still knows its cluster says so, and it does not come to this.
absl::Status CheckNoEarlierLife(const Observed& seen) {
  const auto created = [](const json::Value& body) { return body.StringAt({"metadata", "creationTimestamp"}); };
  for (const Claim& claim : seen.claims) {
    if (created(claim.body) >= created(seen.body)) continue;
    return MakeError(
        Reason::kProvisioningUnsafe,
        absl::StrCat("PersistentVolumeClaim ", claim.object->key().ToString(),
                     " is older than this RestateCluster: it may hold an earlier cluster's data, although no node that "
                     "answers knows of one, and provisioning would begin a new cluster beside it. Bring the other "
                     "nodes' volumes back; or, to begin anew, run `restatectl provision` in pod restate-0"));
  }
  return absl::OkStatus();
}

// "1 of 3 nodes has never joined the cluster": of such a node the others know nothing, so they call nothing wrong.
// Empty: as many nodes are known as are wanted. Which it is, only its log says.
std::string NeverJoined(const Observed& seen, const admin::NodesState& state) {
  const std::int64_t missing = seen.replicas() - static_cast<std::int64_t>(state.nodes.size());
  if (missing <= 0) return {};
  return absl::StrCat(missing, " of ", seen.replicas(), missing == 1 ? " nodes has" : " nodes have",
                      " never joined the cluster, see the logs of the pods");
}

std::string Sentence(std::string first, const std::string& second) {
  if (!first.empty() && !second.empty()) first.append("; ");
  return first.append(second);
}

void TellProvisioned(const Observed& seen, std::string note, ClusterPlan& plan) {
  plan.steps.push_back(Announce(seen, "Provisioned", note));
  plan.wait = plan::Wait{Reason::kProvisioned, std::move(note)};
  plan.LookAgainIn(absl::ZeroDuration());
}

}  // namespace

bool Provisions(const Observed& seen) { return seen.spec.cluster && seen.spec.cluster->auto_provision; }

std::string NodeAddress(const Observed& seen, std::int64_t ordinal) {
  return absl::StrCat(std::string(kRestate), "-", ordinal, ".", std::string(kNodeService), ".", seen.name(), ".svc.",
                      seen.config.cluster_dns, ":", kNodePort);
}

std::optional<admin::WantedNodes> NodesNeeded(const Observed& seen) {
  if (seen.deleting() || seen.suspended() || !seen.decoded.ok() || !Provisions(seen)) return std::nullopt;
  admin::WantedNodes wanted;
  if (!seen.provisioned()) {
    const Pod* first = FirstPod(seen);
    if (!first || !first->running()) return std::nullopt;
    for (const Pod& pod : seen.pods) {
      if (pod.running()) wanted.identify.push_back(NodeAddress(seen, pod.ordinal));
    }
    wanted.max_age = kFreshLook;
    return wanted;
  }
  if (StatefulSetNotReady(seen)) return std::nullopt;
  for (const Pod& pod : seen.pods) {
    if (pod.ready()) wanted.state_from.push_back(NodeAddress(seen, pod.ordinal));
  }
  if (wanted.state_from.empty()) return std::nullopt;
  wanted.max_age = WasReady(seen) ? kSteadyLook : kFreshLook;
  return wanted;
}

std::optional<Observed> Kind::Observe(const kube::Key& key, const plan::World& world) {
  auto seen = Gather(key, world.cache, world.config, world.clock.WallTime());
  if (!seen) return std::nullopt;
  if (const auto wanted = NodesNeeded(*seen)) seen->nodes = world.nodes.Ask(key, *wanted);
  return seen;
}

void Provision(const Observed& seen, ClusterPlan& plan) {
  if (seen.replicas() == 0) return AddWait(plan, StatefulSetNotReady(seen));  // nothing comes of asking again and again
  const Pod* first = FirstPod(seen);
  if (!first || !first->running()) {
    return Wait(plan, Reason::kProvisioningPodNotRunning,
                absl::StrCat("Pod ", seen.name(), "/restate-0 has to run before the cluster can be provisioned; it ",
                             first ? absl::StrCat("is ", first->Trouble()) : std::string("does not exist yet")));
  }
  const auto look = seen.nodes ? seen.nodes->look : nullptr;
  const std::string address = NodeAddress(seen, 0);
  if (!look || !look->identities.contains(address)) {
    return Wait(plan, Reason::kAskingNodes, "asking the nodes whether they belong to a cluster already");
  }
  for (const auto& [asked, identity] : look->identities) {
    if (!identity.ok() || !identity->Provisioned()) continue;
    plan.provisioned = true;
    return TellProvisioned(
        seen, absl::StrCat("Node ", PodOrAddress(seen, asked), " belongs to a cluster that is provisioned"), plan);
  }
  const auto& identity = look->identities.at(address);
  if (!identity.ok()) {
    return Wait(plan, Reason::kAskingNodes,
                absl::StrCat("node restate-0 does not answer yet: ", std::string(MessageOf(identity.status()))));
  }
  if (!identity->AwaitsProvisioning()) return Wait(plan, Reason::kAskingNodes, "node restate-0 is starting");
  plan.failure = CheckNoEarlierLife(seen);
  if (!plan.failure.ok()) return;
  plan.steps.push_back(plan::Provision{address});
  TellProvisioned(seen, "The cluster was provisioned", plan);
}

std::optional<plan::Wait> NodesNotHealthy(const Observed& seen) {
  if (!seen.nodes) return std::nullopt;
  if (!seen.nodes->look) {
    if (WasReady(seen)) return std::nullopt;
    return plan::Wait{Reason::kAskingNodes, "asking the nodes how the cluster is"};
  }
  const auto& state = seen.nodes->look->state;
  if (!state || !state->ok()) return std::nullopt;
  const std::string trouble = Sentence(NeverJoined(seen, **state), TroubleIn(**state));
  if (trouble.empty()) return std::nullopt;
  return plan::Wait{Reason::kNodesNotHealthy, absl::StrCat("Restate says: ", trouble)};
}

}  // namespace restate::cluster

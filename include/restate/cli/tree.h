// Tree: what runs of Restate in a Kubernetes cluster, and what it waits for, as people look at it: under each Restate
// the services that register with it, under each service its versions. Made of the objects' statuses alone, by the
// command `status` from lists and by the operator's page from its caches.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "restate/json/value.h"
#include "restate/kube/resource.h"

namespace restate::cli {

enum class State : std::uint8_t {
  kNone,  // of a Restate that is no object of ours: nobody here knows
  kReady,
  kWaiting,       // the operator, or what it waits for, is at work
  kStalled,       // a person has to do something
  kSuspended,     // by the annotation restate.dev/reconcile
  kScaledToZero,  // as it was asked for
  kDeleting,
  kMissing,  // named by a RestateDeployment, and not there
  kUnseen,   // named by a RestateDeployment; the reader may not see its kind
  kCurrent,  // of versions, from here on: crd::VersionPhase
  kDraining,
  kDrained,
  kRemoving,
};
std::string_view NameOf(State state);  // "Ready", ...; "" of kNone

struct Pods {
  std::optional<std::int64_t> ready;  // absent: not known
  std::int64_t wanted = 0;
};

// A condition that is not as one wishes.
struct Wait {
  std::string about;                // type of the condition: Ready, Reconciling, Warning; Version: removal of a version
  std::string reason;               // may be empty
  std::string message;              // from outside: not escaped for any medium
  std::optional<absl::Time> since;  // when it became so
};

struct Node {
  std::string kind;  // RestateCluster, RestateCloudEnvironment, RestateDeployment, Version; Service or URL: any Restate
  std::string ns;    // empty: it is in none
  std::string name;
  State state = State::kNone;
  std::optional<absl::Time> since;  // of the state
  std::optional<Pods> pods;
  std::vector<Wait> waits;

  // Of versions, and of services where it is the same thing: the id is that of the latest version.
  std::string deployment_id;  // dp_...
  std::vector<std::string> images;
  std::map<std::string, std::int64_t>
      invocations;  // unfinished ones that must end there: status in Restate -> how many
  std::optional<absl::Time> oldest_invocation;
  std::optional<absl::Time> removed_at;  // of a version: when it goes; of a deletion: when its deadline is

  std::vector<Node> children;
};

struct Tree {
  std::vector<Node> roots;
  std::vector<std::string> notes;  // what could not be seen, in sentences
};

// What a tree is made of: objects as the API server has them.
struct Objects {
  json::Array clusters, environments, deployments;
  std::map<kube::Key, std::int64_t> ready_pods;  // of older versions, by the name of their ReplicaSet, as far as known
  bool sees_clusters = true, sees_environments = true;
  std::vector<std::string> notes;
};

// Which part of it. Empty: all.
struct Selection {
  std::string kind;  // RestateCluster, RestateCloudEnvironment or RestateDeployment
  std::string name;
};

// Pure. A Restate comes along with a service that is selected, and services with a Restate that is. Ordered by kind,
// namespace and name.
// A status that is out of shape counts as none.
Tree MakeTree(const Objects& objects, const Selection& selection = {});

// The parts of it; public for `why` and `wait`.
State StateOf(const json::Value& object);              // of one of our objects
std::vector<Wait> WaitsOf(const json::Value& object);  // its conditions that are not as wished
bool IsObserved(const json::Value& object);            // the status speaks of the present generation

}  // namespace restate::cli

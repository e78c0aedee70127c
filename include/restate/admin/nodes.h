// Nodes: looks at the nodes of RestateClusters that no pass waits for.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "restate/admin/node_api.h"
#include "restate/base/clock.h"
#include "restate/kube/resource.h"

namespace restate::admin {

// What an asker needs of a look; addresses are host:port.
struct WantedNodes {
  std::vector<std::string> identify;    // each is asked who it is
  std::vector<std::string> state_from;  // one of them is asked for the cluster's state: the first that answers
  Clock::Duration max_age = std::chrono::seconds(10);  // since the look was complete
};

struct NodesLook {
  Clock::TimePoint answered;                                       // when the last answer was there
  std::map<std::string, absl::StatusOr<NodeIdentity>> identities;  // by address: all that were wanted
  std::optional<absl::StatusOr<NodesState>> state;                 // nullopt: not wanted; an error: the last one
};

struct NodesAnswer {
  std::shared_ptr<const NodesLook> look;  // null: it was asked for, and the asker is woken when it is there
  std::shared_ptr<const NodesLook> last;  // the newest there is, however old: to report, not to decide; may be null
};

// Thread safe. Ask never blocks: the nodes are asked on threads of its own, which start with the first question, and at
// most three of them work for one asker. A look is complete when every node has answered or its time is over.
class Nodes {
 public:
  // `wake` is called, with no lock held, for every asker that went away without a look, once it is there.
  Nodes(NodeApi& api, Clock& clock, std::function<void(const kube::Key&)> wake);
  ~Nodes();  // stops and joins

  // The newest look that is young enough, has what is wanted, and began after the asker's last Changed. A look in which
  // somebody did not answer is repeated after 2 s, doubled up to 10 s, at the earliest: until then it is young enough,
  // and where it has not what is wanted, the next one waits.
  NodesAnswer Ask(const kube::Key& asker, const WantedNodes& wanted);
  // The asker has changed something, or tried to: looks that began before this moment no longer serve it.
  void Changed(const kube::Key& asker);
  // The asker is gone.
  void Forget(const kube::Key& asker);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restate::admin

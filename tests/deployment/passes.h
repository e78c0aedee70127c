// Passes over one RestateDeployment on a Stage: what the controller would do, with time that moves only as told.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "deployment/knative_controller.h"
#include "plan/stage.h"
#include "restate/deployment/deployment.h"

namespace restate::deployment {

class Passes {
 public:
  // Serves our CRDs, or the one of the reference; ReplicaSets become ready by themselves unless told otherwise.
  explicit Passes(bool pods_become_ready = true, std::string_view crd = "../crds/restatedeployments.yaml");

  // The process after a restart: it knows nothing but what is there.
  explicit Passes(std::shared_ptr<plan::Outside> outside);

  // Knative is installed, and its controllers run before each pass. Another process finds it there.
  void InstallKnative();
  void WatchKnative();

  plan::Stage stage;
  std::optional<KnativeSettings> knative;  // nullopt: not installed

  // One pass on an up-to-date cache.
  runtime::Next Pass(const kube::Key& key);
  // Passes until nothing happens any more that needs no more than `patience` (of the fake clock).
  runtime::Next Settle(const kube::Key& key, Clock::Duration patience = std::chrono::seconds(3));
  // The reason the object waits for; "" for none.
  std::string Waiting() const;
  // "True Deployed", of the stored object; "" when it has no condition.
  std::string Ready(const kube::Key& key) const;
};

}  // namespace restate::deployment

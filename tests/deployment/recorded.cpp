#include "deployment/recorded.h"

#include <algorithm>

namespace restate::deployment {
namespace {

// In ReplicaSet mode, registering with a target of one of these kinds.
std::vector<Recording> RegisteredWith(std::initializer_list<std::string_view> targets) {
  std::vector<Recording> recordings = RecordingsOf("RestateDeployment");
  std::erase_if(recordings, [&](const Recording& recording) {
    if (recording.spec.StringAt({"deploymentMode"}, "replicaset") != "replicaset") return true;
    return std::none_of(targets.begin(), targets.end(), [&](std::string_view target) {
      return recording.spec.FindPath({"restate", "register", target}) != nullptr;
    });
  });
  return recordings;
}

}  // namespace

std::vector<Recording> Recordings() { return RegisteredWith({"url", "service"}); }

std::vector<Recording> CloudRecordings() { return RegisteredWith({"cloud"}); }

}  // namespace restate::deployment

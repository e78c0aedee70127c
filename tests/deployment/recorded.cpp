#include "deployment/recorded.h"

namespace restate::deployment {
namespace {

bool Covered(const Recording& recording) {
  const json::Value* target = recording.spec.FindPath({"restate", "register"});
  return target && (target->Find("url") || target->Find("service")) &&
         recording.spec.StringAt({"deploymentMode"}, "replicaset") == "replicaset";
}

}  // namespace

std::vector<Recording> Recordings() {
  std::vector<Recording> recordings = RecordingsOf("RestateDeployment");
  std::erase_if(recordings, [](const Recording& recording) { return !Covered(recording); });
  return recordings;
}

}  // namespace restate::deployment

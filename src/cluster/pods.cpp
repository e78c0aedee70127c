// What the pods of a cluster say about themselves.
#include "restate/plan/pods.h"

#include "restate/cluster/observed.h"

namespace restate::cluster {

bool Pod::ready() const { return plan::IsReadyPod(*object, body); }

std::string Pod::Trouble() const { return plan::TroubleOfPod(*object, body); }

}  // namespace restate::cluster

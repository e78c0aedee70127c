#include "restate/deployment/announce.h"

#include "restate/plan/announce.h"

namespace restate::deployment {
plan::Announce Announce(const Observed& seen, std::string reason, std::string note) {
  return {plan::EventAbout(kRestateDeployments, *seen.object, false, std::move(reason), std::move(note))};
}

kube::Event Warn(const Observed& seen, std::string reason, std::string note) {
  return plan::EventAbout(kRestateDeployments, *seen.object, true, std::move(reason), std::move(note));
}

kube::Event FailureEvent(const Observed& seen, Reason reason, std::string_view message) {
  return Warn(seen, std::string(RowOf(reason).name), std::string(message));
}

}  // namespace restate::deployment

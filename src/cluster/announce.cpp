#include "announce.h"

#include "restate/plan/announce.h"

namespace restate::cluster {

plan::Announce Announce(const Observed& seen, std::string reason, std::string note) {
  return {plan::EventAbout(kRestateClusters, *seen.object, false, std::move(reason), std::move(note))};
}

kube::Event Warn(const Observed& seen, std::string reason, std::string note) {
  return plan::EventAbout(kRestateClusters, *seen.object, true, std::move(reason), std::move(note));
}

}  // namespace restate::cluster

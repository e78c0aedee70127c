#include "restate/app/crd_gate.h"

#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"

namespace restate::app {
namespace {

constexpr Clock::Duration kAskAgain = std::chrono::seconds(10);

std::string NameOf(const kube::Resource& resource) {
  return absl::StrCat(std::string(resource.plural), ".", std::string(resource.group));
}

void Announce(kube::EventRecorder& events, const json::Value& pod, bool warning, std::string reason, std::string note) {
  if (pod.is_null()) return;
  events.Record(
      {.regarding = pod, .warning = warning, .reason = std::move(reason), .action = "Start", .note = std::move(note)});
}

}  // namespace

absl::Status CrdGate::Wait(kube::Client& client, Clock& clock, Metrics& metrics, kube::EventRecorder& events,
                           std::stop_token stop) const {
  const std::string name = NameOf(resource);
  bool told = false;
  for (;;) {
    const auto served = client.Serves(resource, stop);
    if (served.ok() && *served) break;
    if (!served.ok() && ReasonOf(served.status()) == Reason::kApiForbidden) {
      return Annotate(served.status(), absl::StrCat("cannot find out whether ", name, " is installed"));
    }
    metrics.SetCrdMissing(name, true);
    if (!told) {
      const std::string why = served.ok() ? std::string("it is not installed; install the CRDs (crds/*.yaml)")
                                          : std::string(MessageOf(served.status()));
      spdlog::warn("waiting for {}: {}", name, why);
      if (served.ok()) Announce(events, pod, true, "WaitingForCRD", absl::StrCat("waiting for ", name, ": ", why));
      told = served.ok();
    }
    if (!clock.Sleep(kAskAgain, stop)) return MakeError(Reason::kStopped, "stopped while waiting for " + name);
  }
  metrics.SetCrdMissing(name, false);
  if (told) Announce(events, pod, false, "CRDsAvailable", absl::StrCat(name, " is served now"));
  return absl::OkStatus();
}

}  // namespace restate::app

#include "restate/app/crd_gate.h"

#include <spdlog/spdlog.h>

#include <utility>

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
                           const Leadership& leadership, std::stop_token stop) const {
  const std::string name = NameOf(resource);
  bool logged = false, told = false, refused = false;
  for (;;) {
    const auto served = client.Serves(resource, stop);
    if (served.ok() && *served) break;
    // Believed when it is said again: an API server that starts refuses everybody until it has read its roles.
    const bool forbidden = !served.ok() && ReasonOf(served.status()) == Reason::kApiForbidden;
    if (std::exchange(refused, forbidden) && forbidden) {
      return Annotate(served.status(), absl::StrCat("cannot find out whether ", name, " is installed"));
    }
    metrics.SetCrdMissing(name, true);
    const std::string why = served.ok() ? std::string("it is not installed; install the CRDs (crds/*.yaml)")
                                        : std::string(MessageOf(served.status()));
    if (!logged) spdlog::warn("waiting for {}: {}", name, why);
    logged = served.ok();
    if (!told && served.ok() && leadership.Leads()) {
      Announce(events, pod, true, "WaitingForCRD", absl::StrCat("waiting for ", name, ": ", why));
      told = true;
    }
    if (!clock.Sleep(kAskAgain, stop)) return MakeError(Reason::kStopped, "stopped while waiting for " + name);
  }
  metrics.SetCrdMissing(name, false);
  if (told) Announce(events, pod, false, "CRDsAvailable", absl::StrCat(name, " is served now"));
  return absl::OkStatus();
}

}  // namespace restate::app

#include "absl/strings/str_cat.h"
#include "restate/deployment/knative.h"

namespace restate::deployment {
namespace {

absl::Status Invalid(std::string_view field, std::string_view problem) {
  return MakeError(Reason::kInvalidSpec, absl::StrCat(std::string(field), ": ", std::string(problem)));
}

// Knative lets one container take the calls, and reads off its port's name which HTTP that is.
absl::Status CheckPorts(const json::Value& pod_spec) {
  constexpr std::string_view kField = "spec.template.spec.containers";
  int serving = 0;
  bool named = false;
  for (const json::Value& container : *pod_spec.Find("containers")->array()) {
    const json::Value* ports = container.Find("ports");
    if (!ports || !ports->array() || ports->array()->empty()) continue;
    ++serving;
    for (const json::Value& port : *ports->array()) {
      const std::string_view name = port.StringAt({"name"});
      named = named || name.starts_with("h2c") || name.starts_with("http1");
    }
  }
  if (serving != 1) {
    return Invalid(kField, absl::StrCat("in Knative mode exactly one container declares ports, the one that serves; ",
                                        serving, " do"));
  }
  if (named) return absl::OkStatus();
  return Invalid(kField, "in Knative mode the port is named h2c (HTTP/2, what SDKs speak by default) or http1");
}

}  // namespace

absl::Status CheckKnative(const Observed& seen) {
  if (seen.spec.restate.tunnel_mode == crd::TunnelMode::kInProcess) {
    return Invalid("spec.restate.tunnelMode",
                   "in-process is for ReplicaSets: pods that Knative scales to zero hold no tunnel open; use external");
  }
  const crd::KnativeSpec knative = seen.spec.knative.value_or(crd::KnativeSpec{});
  const std::int32_t most = knative.max_scale.value_or(0);  // 0: no limit
  if (most > 0 && knative.min_scale.value_or(0) > most) {
    return Invalid("spec.knative.minScale",
                   absl::StrCat("is ", *knative.min_scale, ", more than maxScale, which is ", most));
  }
  if (knative.target && *knative.target == 0) {
    return Invalid("spec.knative.target", "is 0; it is the concurrent requests per pod, 1 at least");
  }
  return CheckPorts(seen.spec.pod_template.spec);
}

}  // namespace restate::deployment

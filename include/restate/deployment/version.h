// The name of a version. It must come out exactly as the reference operator's does: a cluster that changes operators
// would otherwise get a new version of every service.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "restate/admin/cloud.h"
#include "restate/crd/restate_deployment.h"

namespace restate::deployment {

// What a hash is written with: digits and letters that spell no words.
inline constexpr std::string_view kHashDigits = "456789bcdf";

// The pod template as compact JSON with sorted keys: what is hashed, and what annotation restate.dev/pod-template keeps
// so that two templates with the same hash can be told apart.
std::string PodTemplateText(const crd::PodTemplate& pod_template);

// The part after `<name>-`. `template_text` is PodTemplateText of the spec's template. `in_process`: the environment
// whose values the pods get to open a tunnel with; nullptr: they open none.
std::string VersionHash(const crd::RestateDeploymentSpec& spec, std::string_view template_text,
                        std::optional<std::int32_t> collision_count,
                        const admin::CloudEnvironment* in_process = nullptr);

}  // namespace restate::deployment

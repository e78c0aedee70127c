#include "restate/deployment/spec_check.h"

#include "absl/strings/str_cat.h"
#include "restate/base/dns_label.h"
#include "restate/deployment/knative.h"
#include "restate/deployment/labels.h"
#include "restate/deployment/registration.h"

namespace restate::deployment {
namespace {

absl::Status Invalid(std::string_view field, std::string_view problem) {
  return MakeError(Reason::kInvalidSpec, absl::StrCat(std::string(field), ": ", std::string(problem)));
}

// RFC 1035 label. A label value, as restate.dev/owned-by has, has the same limit.
bool IsServiceName(std::string_view name) { return IsDnsLabel(name) && name.front() >= 'a' && name.front() <= 'z'; }

absl::Status CheckName(const Observed& seen) {
  if (IsServiceName(seen.name)) return absl::OkStatus();
  const bool by_tag = seen.tagged() && IsServiceName(seen.object->key().name);
  return Invalid(by_tag ? "spec.knative.tag" : "metadata.name",
                 absl::StrCat("each version needs a Service called ", seen.name,
                              ", and that is no Service name (at most 63 lower-case letters, digits and '-', "
                              "starting with a letter); choose a name of at most ",
                              seen.tagged() ? "63 such characters in all, object and tag"
                                            : absl::StrCat(kMaxDnsLabel - 1 - seen.hash.size(), " such characters")));
}

absl::Status CheckTemplate(const Observed& seen) {
  const json::Value& pod = seen.spec.pod_template.spec;
  if (!pod.is_object()) return Invalid("spec.template.spec", "must be an object, a PodSpec");
  const json::Value* containers = pod.Find("containers");
  if (!containers || !containers->array() || containers->array()->empty()) {
    return Invalid("spec.template.spec.containers", "must be a list of at least one container");
  }
  for (const json::Value& container : *containers->array()) {
    if (!container.is_object()) return Invalid("spec.template.spec.containers", "every item must be an object");
  }
  if (seen.environment() && TunnelsInProcess(seen.spec)) {
    RETURN_IF_ERROR(WithTunnel(pod, seen.name, *seen.environment()).status());
  }
  // The server admits 256 KiB of annotations per object; 6 KiB are left to all others.
  if (!seen.tagged() && seen.template_text.size() > 250 * 1024) {
    return Invalid("spec.template",
                   absl::StrCat("is ", seen.template_text.size(),
                                " bytes as JSON; at most 256000 fit into the annotation that keeps it"));
  }
  return absl::OkStatus();
}

absl::Status CheckSelector(const Observed& seen) {
  if (!seen.spec.selector)
    return Invalid("spec.selector", "is missing; repeat the labels of spec.template.metadata there");
  const json::Value& selector = *seen.spec.selector;
  if (selector.FindPath({"matchLabels", kHashLabel})) {
    return Invalid("spec.selector.matchLabels", "pod-template-hash is set by the operator; remove it");
  }
  const auto labels = PodLabels(seen);
  for (const auto& [key, value] : json::ToMap(selector.Find("matchLabels"))) {
    const auto it = labels.find(key);
    if (it == labels.end() || it->second != value) {
      return Invalid("spec.selector.matchLabels",
                     absl::StrCat(key, "=", value, " does not match spec.template.metadata.labels"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<admin::Endpoint> EndpointOf(const Observed& seen) {
  if (!seen.decoded.ok()) return seen.decoded;
  const crd::RegisterTarget& target = seen.spec.restate.target;
  if (target.cluster) return admin::EndpointOfCluster(*target.cluster, seen.config.cluster_dns);
  if (target.service) {
    return admin::EndpointOfService(target.service->name, target.service->ns, target.service->port,
                                    target.service->path, seen.config.cluster_dns);
  }
  return admin::EndpointOfUrl(target.url.value_or(""), seen.config.allow_loopback);
}

absl::Status CheckSpec(const Observed& seen) {
  RETURN_IF_ERROR(seen.decoded);
  if (TunnelsInProcess(seen.spec) && !seen.spec.restate.target.cloud) {
    return Invalid("spec.restate.tunnelMode", "in-process needs spec.restate.register.cloud: the tunnel leads there");
  }
  RETURN_IF_ERROR(seen.endpoint.status());
  RETURN_IF_ERROR(CheckName(seen));
  RETURN_IF_ERROR(CheckServicePath(seen));
  RETURN_IF_ERROR(CheckTemplate(seen));
  return seen.in_knative_mode() ? CheckKnative(seen) : CheckSelector(seen);
}

}  // namespace restate::deployment

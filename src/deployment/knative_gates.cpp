#include <algorithm>

#include "absl/strings/str_cat.h"
#include "restate/deployment/knative.h"
#include "restate/plan/conditions.h"

namespace restate::deployment {
namespace {

// Whether what the status says is about the present spec.
bool IsUpToDate(const kube::Object& object, const json::Value& body) {
  return body.IntAt({"status", "observedGeneration"}) >= object.generation();
}

// " (RevisionFailed: ...)" of its Ready condition; empty: it says nothing.
std::string Why(const json::Value& object) {
  const std::string words = plan::WordsOf(object, "Ready");
  return words.empty() ? "" : absl::StrCat(" (", words, ")");
}

std::optional<std::string> TroubleOfConfiguration(const Version& current) {
  const std::string who = absl::StrCat("Configuration ", current.name());
  if (current.object->deleting()) return absl::StrCat(who, " is being deleted; it is made anew when it is gone");
  if (!IsUpToDate(*current.object, current.body)) return absl::StrCat(who, " has out-of-date status information");
  const std::string_view name = current.body.StringAt({"status", "latestCreatedRevisionName"});
  if (name.empty()) return absl::StrCat(who, " has no Revision yet", Why(current.body));
  const std::string revision = absl::StrCat("Revision ", std::string(name), " of ", who);
  if (!current.revision) return absl::StrCat(revision, " is not there yet");
  const json::Value body = current.revision->Body();
  if (plan::IsTrue(body, "Ready")) return std::nullopt;
  return absl::StrCat(revision, " is not ready", Why(body), "; see kubectl describe revision -n ",
                      current.object->key().ns, " ", std::string(name));
}

bool LeadsTo(const json::Value& route, std::string_view revision) {
  const json::Value* traffic = route.FindPath({"status", "traffic"});
  if (!traffic || !traffic->array()) return false;
  return std::any_of(traffic->array()->begin(), traffic->array()->end(), [&](const json::Value& target) {
    return target.StringAt({"revisionName"}) == revision && target.IntAt({"percent"}) > 0;
  });
}

std::optional<std::string> TroubleOfRoute(const Version& current) {
  const std::string who = absl::StrCat("Route ", current.name());
  if (!current.front) return absl::StrCat(who, " is not there yet");
  const json::Value route = current.front->Body();
  if (!IsUpToDate(*current.front, route)) return absl::StrCat(who, " has out-of-date status information");
  if (!plan::IsTrue(route, "Ready")) {
    return absl::StrCat(who, " is not ready", Why(route), "; see kubectl describe route.serving.knative.dev -n ",
                        current.object->key().ns, " ", current.name());
  }
  const std::string_view revision = current.body.StringAt({"status", "latestCreatedRevisionName"});
  if (!LeadsTo(route, revision)) {
    return absl::StrCat(who, " does not lead to Revision ", std::string(revision), " yet");
  }
  if (UrlOfRoute(current).empty()) return absl::StrCat(who, " has no URL yet");
  return std::nullopt;
}

}  // namespace

std::optional<plan::Wait> KnativeMissing(const Observed& seen) {
  if (seen.knative == KnativeState::kServed) return std::nullopt;
  if (seen.knative == KnativeState::kAbsent) {
    return plan::Wait{Reason::kKnativeNotInstalled,
                      "spec.deploymentMode knative: the APIs of Knative Serving (serving.knative.dev/v1) are not "
                      "installed; install it, it is used at once"};
  }
  return plan::Wait{
      Reason::kKnativeNotInstalled,
      "the Configurations, Routes and Revisions of serving.knative.dev/v1 are not listed; may the operator "
      "list and watch them?"};
}

std::optional<plan::Wait> RouteNotReady(const Version& current) {
  if (auto trouble = TroubleOfConfiguration(current)) {
    return plan::Wait{Reason::kConfigurationNotReady, *std::move(trouble)};
  }
  if (auto trouble = TroubleOfRoute(current)) return plan::Wait{Reason::kRouteNotReady, *std::move(trouble)};
  return std::nullopt;
}

}  // namespace restate::deployment

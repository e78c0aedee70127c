#include "canary.h"

#include "absl/strings/str_cat.h"
#include "conditions.h"
#include "pod.h"
#include "restate/cluster/objects.h"
#include "steps.h"

namespace restate::cluster {
namespace {

using json::Arr;
using json::Obj;

constexpr int kTries = 2;
constexpr int kLongestRunSeconds = 300;
constexpr absl::Duration kNextLook = absl::Minutes(1);
constexpr absl::Duration kRest = absl::Minutes(1);  // between two canaries

// Satisfies the Pod Security Standard `restricted`, as the pods of nodes do.
json::Value JobFor(const Observed& seen, std::string_view name, json::Value command) {
  json::Value job = ObjectFor(seen, kJobs, name);
  job["metadata"]["labels"][kNameLabel] = name;
  const json::Value container = Obj({{"name", "canary"},
                                     {"image", seen.config.canary_image},
                                     {"command", std::move(command)},
                                     {"securityContext", NoPrivileges()}});
  // Labels of its own: no selector of the cluster may meet this pod, but the operator's watch has to.
  const json::Value labels = Obj({{kNameLabel, name}, {kInstanceLabel, seen.name()}});
  job["spec"] = Obj({{"backoffLimit", kTries - 1},
                     {"activeDeadlineSeconds", kLongestRunSeconds},
                     {"template", Obj({{"metadata", Obj({{"labels", labels}})},
                                       {"spec", Obj({{"serviceAccountName", kRestate},
                                                     {"restartPolicy", "Never"},
                                                     {"securityContext", PodSecurity()},
                                                     {"tolerations", seen.spec.compute.tolerations},
                                                     {"containers", Arr({container})}})}})}});
  return job;
}

// How long a Job that failed stays, so that it can be looked at, and does not fail again and again: what else wakes the
// cluster meanwhile changes nothing. A time that is far off is of a clock that is.
absl::Duration RestOf(const json::Value& job, absl::Time now) {
  absl::Time since;
  std::string unused;
  const std::string text(ConditionIn(job, "Failed")->StringAt({"lastTransitionTime"}));
  if (!absl::ParseTime(absl::RFC3339_full, text, &since, &unused)) return absl::ZeroDuration();
  const absl::Duration age = now - since;
  return absl::AbsDuration(age) < kRest ? kRest - age : absl::ZeroDuration();
}

}  // namespace

json::Value PodIdentityCanaryFor(const Observed& seen) {
  return JobFor(seen, kPodIdentityCanary,
                Arr({"grep", "-q", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/proc/self/environ"}));
}

json::Value WorkloadIdentityCanaryFor(const Observed& seen) {
  return JobFor(seen, kWorkloadIdentityCanary,
                Arr({"wget", "--header", "Metadata-Flavor: Google", "-q", "-O", "/dev/null",
                     "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"}));
}

void RunCanary(const Observed& seen, const Canary& canary, bool proven, ClusterPlan& plan) {
  const kube::ObjectPtr live = seen.Child(kJobs, canary.name);
  const json::Value body = live ? live->Body() : json::Value();
  // Left as it is, whatever it was made with: nothing is shown by running it again.
  if (IsTrue(body, "Complete")) return;
  const std::string job = absl::StrCat("Job ", seen.name(), "/", std::string(canary.name));
  if (IsTrue(body, "Failed") && !live->deleting()) {
    const absl::Duration rest = RestOf(body, seen.now);
    plan.LookAgainIn(rest);
    if (rest == absl::ZeroDuration()) plan.steps.push_back(plan::Delete{kJobs, live->key(), live->uid()});
    const std::string words = WordsOf(body, "Failed");
    return AddWait(
        plan, plan::Wait{canary.failed,
                         absl::StrCat(job, " found no ", std::string(canary.looks), words.empty() ? "" : ": ", words,
                                      ". ", std::string(canary.advice), ". It is run again after a minute")});
  }
  if (!live || !live->deleting()) {
    plan::Apply step = ApplyOf(kJobs, canary.job, live);
    step.replace_if_immutable = true;
    plan.steps.push_back(std::move(step));
  }
  if (proven) return;
  plan.LookAgainIn(kNextLook);
  AddWait(plan, plan::Wait{canary.pending,
                           absl::StrCat(job, " has not yet shown that pods get ", std::string(canary.looks),
                                        "; see kubectl describe job -n ", seen.name(), " ", std::string(canary.name))});
}

}  // namespace restate::cluster

// The parts of a pod that come from one concern each, and the pod that they make.
#pragma once

#include "restate/cluster/metadata.h"
#include "restate/cluster/observed.h"

namespace restate::cluster {

inline constexpr std::string_view kCombineCerts = "combine-ca-certs";  // init container
// Where the server finds the key that it signs requests with.
inline constexpr std::string_view kKeyVariable = "RESTATE_WORKER__INVOKER__REQUEST_IDENTITY_PRIVATE_KEY_PEM_FILE";

// What a concern adds to the pod: to its volumes, to the container of restate-server, and around it.
struct PodPart {
  json::Array volumes, mounts, env, init_containers;
  StringMap annotations;
};

// Where an API is not to be seen, perhaps for a moment only, pods that have something by it keep that.
PodPart SigningKeyPart(const Observed& seen);
bool SignsByProvider(const Observed& seen);  // with a key that the Secrets Store CSI driver brings
PodPart TrustedCertsPart(const Observed& seen);
PodPart CloudIdentityPart(const Observed& seen);  // annotations alone: another identity rolls the pods

// Environment of restate-server, less what the parts add: the user's variables replace defaults of ours.
json::Array BaseEnvironment(const Observed& seen);

StringMap PodAnnotations(const Observed& seen);
json::Value PodTemplateFor(const Observed& seen);
// The same, unless all that it would change in the live StatefulSet is what another operator, or an earlier version of
// this one, made differently: then what is there stays until the pods roll anyhow.
json::Value PodTemplateToApply(const Observed& seen);
// Whether that keeps pods which are less restricted than ours would be.
bool KeepsEarlierPods(const Observed& seen);

// What every pod and every container that we make may not do: the Pod Security Standard `restricted`.
json::Value PodSecurity();
json::Value NoPrivileges();

}  // namespace restate::cluster

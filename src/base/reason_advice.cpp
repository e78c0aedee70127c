// What a Reason means to somebody who runs a platform: which kinds show it, what causes it, what to do about it. The
// texts are read in a terminal and in docs/reasons.md, so they name fields and commands, and no code. Rows whose
// condition reason is the same have the same texts: whoever looks one up has only that name.
#include <array>
#include <cstddef>

#include "restate/base/error.h"

namespace restate {
namespace {

struct Advice {
  Reason reason;
  std::string_view kinds;  // comma-separated; empty: no status shows it, only the log and the page `/`
  std::string_view cause, cure;
};

constexpr std::string_view kService = "RestateDeployment";
constexpr std::string_view kCluster = "RestateCluster";
constexpr std::string_view kCloud = "RestateCloudEnvironment";
constexpr std::string_view kServiceAndCluster = "RestateDeployment, RestateCluster";
constexpr std::string_view kServiceAndCloud = "RestateDeployment, RestateCloudEnvironment";
constexpr std::string_view kAll = "RestateDeployment, RestateCluster, RestateCloudEnvironment";
constexpr std::string_view kNone;

constexpr std::string_view kConfigCause =
    "A field has a value that cannot work (URL, size, name, image, token settings), or `spec.restate.register.cluster` "
    "names a RestateCluster that does not exist.";
constexpr std::string_view kConfigCure =
    "The message begins with the field: correct it with `kubectl edit`; a missing RestateCluster is picked up as soon "
    "as "
    "it is created (`kubectl get restateclusters`).";
constexpr std::string_view kApiCause =
    "The Kubernetes API server refused a request of the operator: a right is missing, an admission policy or a quota "
    "is "
    "against it, or a value is not allowed.";
constexpr std::string_view kApiCure =
    "The message quotes the answer: for `forbidden` compare the operator's role with the Helm chart's or ask the owner "
    "of the policy, otherwise correct the field it names with `kubectl edit`.";

constexpr std::array kAdvice{
    Advice{Reason::kDeployed, kService, "The latest version runs, is registered, and Restate sends new work to it.",
           "Nothing; `kubectl get restatedeployment NAME -o yaml` lists older versions in `status.versions`."},
    Advice{Reason::kSuspended, kAll, "The object has the annotation `restate.dev/reconcile: disabled`.",
           "Remove it when the operator may go on: `kubectl annotate KIND NAME restate.dev/reconcile-`."},
    Advice{Reason::kScaledToZero, kServiceAndCluster,
           "`spec.replicas` (of a RestateCluster `spec.compute.replicas`) is 0, so that no pod runs; a version without "
           "pods is not registered.",
           "Set it to 1 or more when pods shall run: `kubectl scale restatedeployment NAME --replicas=1`, or `kubectl "
           "edit restatecluster NAME`."},
    Advice{Reason::kClusterNotReady, kService,
           "The RestateCluster that `spec.restate.register.cluster` names is not Ready, so that versions cannot be "
           "registered yet.",
           "See why: `kubectl describe restatecluster NAME`; registration follows by itself."},
    Advice{Reason::kClusterNotFound, kAll, kConfigCause, kConfigCure},
    Advice{Reason::kCloudEnvironmentNotFound, kService,
           "`spec.restate.register.cloud` names a RestateCloudEnvironment that does not exist.",
           "Create it, or correct the name: `kubectl get restatecloudenvironments`."},
    Advice{Reason::kSecretNotFound, kServiceAndCloud,
           "The Secret that `spec.authentication.secret.name` of the RestateCloudEnvironment names is not in the "
           "operator's namespace.",
           "Create it there with the environment's API key: `kubectl create secret generic NAME -n OPERATOR_NAMESPACE "
           "--from-literal=KEY=...`."},
    Advice{Reason::kSecretKeyNotFound, kServiceAndCloud,
           "The Secret exists and has no key of the name in `spec.authentication.secret.key`.",
           "Add the key to the Secret, or correct `spec.authentication.secret.key`; `kubectl describe secret NAME -n "
           "OPERATOR_NAMESPACE` lists its keys."},
    Advice{Reason::kInvalidBearerToken, kServiceAndCloud,
           "The value in the Secret cannot be a token of Restate Cloud: empty, not text of one line, or in a Secret of "
           "a type that never holds one.",
           "Put the environment's API key into a Secret of type Opaque, under the key that "
           "`spec.authentication.secret.key` names."},
    Advice{Reason::kReplicaSetNoStatus, kService, "The ReplicaSet of the version was made or changed a moment ago.",
           "Nothing; if it stays, kube-controller-manager is not working: `kubectl describe replicaset -n "
           "NAMESPACE`."},
    Advice{Reason::kReplicaSetScaling, kService,
           "The ReplicaSet has more or fewer pods than `spec.replicas` asks for: they are being made or removed, or "
           "the API server refuses them (quota, admission).",
           "If it stays, the events say why: `kubectl describe replicaset -n NAMESPACE`."},
    Advice{Reason::kReplicaSetPodNotReady, kService,
           "Pods of the version are not ready: starting, without a node, without an image, crashing, or failing their "
           "readiness probe.",
           "The message names the pod and its trouble; see `kubectl describe pod` and `kubectl logs`, and correct "
           "`spec.template`."},
    Advice{Reason::kReplicaSetPodNotAvailable, kService,
           "Pods are ready, but not yet for as long as `spec.minReadySeconds` asks for.",
           "Nothing, or lower `spec.minReadySeconds`."},
    Advice{Reason::kKnativeNotInstalled, kService,
           "`spec.deploymentMode` is knative, and the API `serving.knative.dev/v1` is not installed, or the operator "
           "may not list it.",
           "Install Knative Serving, which is used at once; if `kubectl api-resources "
           "--api-group=serving.knative.dev` shows it, let the operator's role list and watch it."},
    Advice{Reason::kConfigurationNotReady, kService,
           "Knative has not made a ready Revision of the template: image, start of the pods, or Knative itself.",
           "The message quotes Knative; see `kubectl describe configurations.serving.knative.dev -n NAMESPACE`."},
    Advice{Reason::kRouteNotReady, kService, "Knative's Route of the version has no URL or is not ready yet.",
           "If it stays, see `kubectl describe routes.serving.knative.dev -n NAMESPACE`, and whether Knative has an "
           "ingress (networking layer)."},
    Advice{Reason::kReconciled, "RestateCluster, RestateCloudEnvironment", "Everything is as the spec asks.",
           "Nothing to do."},
    Advice{Reason::kNamespaceTerminating, kCluster,
           "The namespace of the cluster's name is being deleted, and everything in it.",
           "Wait until it is gone, the cluster is made anew then; if it stays, `kubectl get namespace NAME -o yaml` "
           "says which finalizer holds it."},
    Advice{Reason::kStatefulSetReplaced, kCluster,
           "A change that Kubernetes does not allow in a StatefulSet (size or class of volumes) is made by replacing "
           "it; its pods go on running.",
           "Nothing; it takes seconds."},
    Advice{Reason::kStatefulSetNoStatus, kCluster, "The StatefulSet was made or changed a moment ago.",
           "Nothing; if it stays, see `kubectl describe statefulset restate -n NAME`."},
    Advice{Reason::kStatefulSetScaling, kCluster,
           "The StatefulSet has more or fewer pods than `spec.compute.replicas` asks for.",
           "If it stays, the events say why (quota, admission): `kubectl describe statefulset restate -n NAME`."},
    Advice{Reason::kStatefulSetUpdating, kCluster, "Pods are being replaced one by one because their template changed.",
           "Wait; if it stays, the pod that the message names does not become ready: `kubectl describe pod -n NAME`."},
    Advice{Reason::kStatefulSetPodNotReady, kCluster,
           "Nodes are not ready: starting, without a machine or volume, without an image, crashing, or a wrong "
           "`spec.config`.",
           "The message names the pod and its trouble; see `kubectl describe pod -n NAME` and `kubectl logs -n NAME "
           "restate-0`."},
    Advice{Reason::kClaimNotBound, kCluster, "A node's PersistentVolumeClaim has no volume.",
           "See `kubectl describe pvc -n NAME`; usually `spec.storage.storageClassName` names no class, or there is no "
           "default class (`kubectl get storageclass`)."},
    Advice{Reason::kAskingNodes, kCluster, "The operator is asking the nodes how the cluster is.",
           "Nothing; if it stays, the nodes do not answer on port 5122: see `kubectl logs -n NAME restate-0` and "
           "network policies."},
    Advice{Reason::kProvisioningPodNotRunning, kCluster,
           "Pod restate-0, which the cluster is provisioned through, does not run yet.",
           "The message says what the pod lacks; see `kubectl describe pod restate-0 -n NAME`."},
    Advice{Reason::kProvisioned, kCluster, "The cluster was provisioned just now and is coming up.", "Nothing to do."},
    Advice{Reason::kProvisioningFailed, kCluster, "Node restate-0 did not carry out the provisioning.",
           "The message quotes it; see `kubectl logs -n NAME restate-0` (often object storage or credentials of "
           "`spec.config`); it is tried again."},
    Advice{
        Reason::kProvisioningUnsafe, kCluster,
        "A volume is older than this RestateCluster and may hold an earlier cluster's data; provisioning would begin "
        "another cluster beside it.",
        "Bring all volumes of the earlier cluster back, or, to begin anew, run `kubectl exec -n NAME restate-0 -- "
        "restatectl provision`."},
    Advice{Reason::kNodesNotHealthy, kCluster,
           "All pods are ready, but Restate reports a node or partition that is not.",
           "The message quotes Restate; see `kubectl exec -n NAME restate-0 -- restatectl status` and the logs of the "
           "pod it names."},
    Advice{Reason::kSecretProviderClassesDisabled, kCluster,
           "`spec.security.requestSigningPrivateKey.secretProvider` is set, and the operator runs with "
           "`MANAGE_SECRET_PROVIDER_CLASSES=false`.",
           "Start the operator without that setting, or use `spec.security.requestSigningPrivateKey.secret`."},
    Advice{
        Reason::kPodIdentityNotSynced, kCluster,
        "The PodIdentityAssociation has not been made at AWS, or its CRD is not installed.",
        "Install the ACK controller for EKS, or see what it says: `kubectl describe podidentityassociation restate -n "
        "NAME`."},
    Advice{Reason::kPodIdentityCanaryFailed, kCluster,
           "A job with the cluster's service account got no AWS credentials.",
           "Check the EKS Pod Identity agent and the role of `spec.security.awsPodIdentityAssociationRoleArn`; the job "
           "is run again."},
    Advice{Reason::kPodIdentityCanaryPending, kCluster, "The job that tries the AWS credentials has not ended yet.",
           "If it stays, see `kubectl describe pod -n NAME` for the canary's pod (image, node)."},
    Advice{Reason::kPolicyMemberCrdNotFound, kCluster,
           "The operator runs with `GCP_WORKLOAD_IDENTITY`, and the CRD IAMPolicyMember is not installed.",
           "Install Config Connector, or start the operator without `GCP_WORKLOAD_IDENTITY`."},
    Advice{Reason::kPolicyMemberNotReady, kCluster, "The IAMPolicyMember has not been made at Google Cloud.",
           "See what Config Connector says: `kubectl describe iampolicymember -n NAME`."},
    Advice{Reason::kWorkloadIdentityCanaryFailed, kCluster,
           "A job with the cluster's service account got no Google credentials.",
           "Check the annotation `iam.gke.io/gcp-service-account` in `spec.security.serviceAccountAnnotations`; a new "
           "binding takes minutes, and the job is run again."},
    Advice{Reason::kWorkloadIdentityCanaryPending, kCluster,
           "The job that tries the Google credentials has not ended yet.",
           "If it stays, see `kubectl describe pod -n NAME` for the canary's pod (image, node)."},
    Advice{
        Reason::kTunnelPodsNotReady, kCloud, "Pods of the tunnel are not ready or are being replaced.",
        "The message names the pod and its trouble; see `kubectl get pods -n OPERATOR_NAMESPACE` and the pod's log."},
    Advice{Reason::kConfirmingRegistration, kNone, "The version was registered; the operator checks who gets new work.",
           "Nothing; it takes seconds."},
    Advice{Reason::kWaitingForUsage, kNone, "The operator is asking Restate which versions still have work.",
           "Nothing; if it stays, the admin API does not answer: see `spec.restate.register`."},
    Advice{
        Reason::kNotLatest, kService,
        "The version is registered, but Restate sends new work to another deployment of the same services.",
        "It is registered again within a minute; if it stays, see who else registers them: `restate services list`."},
    Advice{Reason::kForeignDeployment, kService,
           "Services of this version are served by a deployment that another object or a person registered; nothing is "
           "taken over by force.",
           "Remove the other one (`restate deployments list`, `restate deployments remove ID`), or change "
           "`spec.template` to register a new version."},
    Advice{Reason::kHashCollision, kService, "An object with the name of the new version exists and holds another one.",
           "Nothing; another name is tried at once."},
    Advice{Reason::kNameTaken, kAll,
           "An object that somebody else made has a name that is needed here; it is left alone.",
           "Rename or delete the object that the message names, or rename this one."},
    Advice{Reason::kDeploymentInUse, kService,
           "The object is being deleted, and invocations that began on its versions have not finished.",
           "Wait, or end them (`restate invocations list`, `restate invocations cancel ID`), or give them up by "
           "`spec.restate.deletePolicy: force`."},
    Advice{Reason::kDeletionOverdue, kService,
           "The deletion has waited longer than `spec.restate.drain.timeoutSeconds`, and `onTimeout` is hold.",
           "End the invocations that the message counts (`restate invocations cancel ID`), or set "
           "`spec.restate.deletePolicy: force`."},
    Advice{Reason::kDeploymentDraining, kService,
           "The object is being deleted, no invocation is left, and `spec.restate.drainDelaySeconds` is running down.",
           "Nothing, or lower `spec.restate.drainDelaySeconds`."},
    Advice{
        Reason::kForcingDeletion, kService,
        "All versions are being removed with their work: `deletePolicy` is force, or the drain's deadline has passed "
        "with `onTimeout: force`.",
        "Nothing; it takes seconds."},
    Advice{Reason::kInvalidRestateConfig, kAll, kConfigCause, kConfigCure},
    Advice{
        Reason::kInvalidSpec, kAll, "A field of the object has a value that cannot work.",
        "The message begins with the field: correct it with `kubectl edit`; `kubectl explain KIND.FIELD` says what it "
        "may hold."},
    Advice{Reason::kAdminBusy, kNone, "As many calls at this admin API are under way as the operator allows itself.",
           "Nothing; if it stays, the admin API is slow: see its own log and load."},
    Advice{
        Reason::kAdminCallFailed, kService,
        "Restate's admin API gave no answer, or none that can be read: it is down, the address is wrong, or a network "
        "policy is in between.",
        "The message names the address: check `spec.restate.register`, whether Restate runs, and network policies "
        "(`spec.security.allowOperatorAccessToAdmin` of a RestateCluster); it is tried again."},
    Advice{Reason::kAdminCallRejected, kService,
           "Restate refused the call: often it cannot reach the pods (port, network policy, `useHttp11`), or the new "
           "version lacks a service or breaks one that exists.",
           "The message quotes Restate: correct `spec.template` or `spec.restate`, or see `kubectl logs` of the pods; "
           "it is tried again ever more rarely."},
    Advice{Reason::kApiConflict, kAll, "Somebody else changed an object at the same moment.",
           "Nothing; it is tried again at once."},
    Advice{Reason::kApiUnavailable, kAll, "The Kubernetes API server does not answer or is overloaded.",
           "Check the API server (`kubectl get --raw=/readyz`) and network policies around the operator; it is tried "
           "again."},
    Advice{Reason::kApiRejected, kAll, kApiCause, kApiCure},
    Advice{Reason::kApiNotFound, kAll, kApiCause, kApiCure},
    Advice{Reason::kApiForbidden, kAll, kApiCause, kApiCure},
    Advice{Reason::kNotSynced, kNone,
           "The operator has just started and has not listed everything yet, or it may not list a kind, or a CRD is "
           "missing.",
           "Nothing; if it stays, the operator's log names the kind (`kubectl logs -n OPERATOR_NAMESPACE "
           "deployment/restate-operator`)."},
    Advice{Reason::kStopped, kNone, "The operator is ending or does not lead any more.",
           "Nothing; the next one goes on."},
    Advice{Reason::kDeadlineExceeded, kAll,
           "A request or a whole pass took too long: somebody takes connections and does not answer.",
           "The message names the request: check that server; it is tried again."},
    Advice{Reason::kInternalError, kAll, "A bug of the operator.",
           "Keep the operator's log and the object's YAML and report them; until it is mended, `restate.dev/reconcile: "
           "disabled` holds the operator off the object."},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < kAdvice.size(); ++i) {
    if (static_cast<std::size_t>(kAdvice[i].reason) != i) return false;
  }
  return kAdvice.size() == kReasonCount;
}
static_assert(InOrder(), "every Reason has its advice, in the order of the enum");

const Advice& AdviceFor(Reason reason) { return kAdvice[static_cast<std::size_t>(reason)]; }

}  // namespace

std::string_view CauseOf(Reason reason) { return AdviceFor(reason).cause; }

std::string_view CureOf(Reason reason) { return AdviceFor(reason).cure; }

std::string_view KindsOf(Reason reason) { return AdviceFor(reason).kinds; }

std::optional<Reason> ReasonOf(std::string_view name) {
  for (const Advice& row : kAdvice) {
    if (RowOf(row.reason).name == name) return row.reason;
  }
  return std::nullopt;
}

}  // namespace restate

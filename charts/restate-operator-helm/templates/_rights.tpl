{{- /* What the operator asks of objects inside namespaces: in all of them, or in `watchNamespace`. */}}
{{- define "operator.rightsInNamespaces" -}}
- apiGroups: [restate.dev]
  resources: [restatedeployments]
  verbs: [get, list, watch, patch]
- apiGroups: [restate.dev]
  resources: [restatedeployments/status]
  verbs: [patch]
# An owner reference that holds its owner's deletion up asks for this where the admission plugin is on.
- apiGroups: [restate.dev]
  resources: [restatedeployments/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
# A StatefulSet makes them; the operator lets them grow.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, list, watch, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [apps]
  resources: [replicasets, statefulsets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [apps]
  resources: [replicasets/scale]
  verbs: [patch]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [list, watch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
# Installed or not, also later: each is used where it is served.
- apiGroups: [serving.knative.dev]
  resources: [configurations]
  verbs: [get, list, watch, create, patch, delete]
# They go with their Configurations.
- apiGroups: [serving.knative.dev]
  resources: [routes]
  verbs: [get, list, watch, create, patch]
- apiGroups: [serving.knative.dev]
  resources: [configurations/finalizers]
  verbs: [update]
- apiGroups: [serving.knative.dev]
  resources: [revisions]
  verbs: [list, watch]
- apiGroups: [secrets-store.csi.x-k8s.io]
  resources: [secretproviderclasses]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [vpcresources.k8s.aws]
  resources: [securitygrouppolicies]
  verbs: [get, list, watch, create, patch, delete]
{{- if .Values.awsPodIdentityAssociationCluster }}
- apiGroups: [eks.services.k8s.aws]
  resources: [podidentityassociations]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
{{- if .Values.gcpWorkloadIdentity }}
- apiGroups: [iam.cnrm.cloud.google.com]
  resources: [iampolicymembers]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
{{- if or .Values.awsPodIdentityAssociationCluster .Values.gcpWorkloadIdentity }}
# Canaries that prove an identity before pods get it.
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
{{- end }}

{{- /* Of what is in no namespace, and events, which are in the namespace of what they are about, or in `default`. */}}
{{- define "operator.rightsInTheCluster" -}}
- apiGroups: [restate.dev]
  resources: [restateclusters, restatecloudenvironments]
  verbs: [get, list, watch, patch]
- apiGroups: [restate.dev]
  resources: [restateclusters/status, restatecloudenvironments/status]
  verbs: [patch]
- apiGroups: [restate.dev]
  resources: [restateclusters/finalizers, restatecloudenvironments/finalizers]
  verbs: [update]
# To notice APIs that are installed later.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch{{ if not .Values.watchNamespace }}, create, patch{{ end }}]
{{- with .Values.watchNamespace }}
- apiGroups: [""]
  resources: [namespaces]
  resourceNames: [{{ . | quote }}]
  verbs: [patch]
{{- end }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- /* In the operator's own namespace: tunnels, the tokens they carry, and who of several copies works. */}}
{{- define "operator.rightsAtHome" -}}
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
# A right to create cannot be limited to a name.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "operator.name" . }}]
  verbs: [get, watch, update]
{{- if .Values.watchNamespace }}
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- end }}
{{- end }}

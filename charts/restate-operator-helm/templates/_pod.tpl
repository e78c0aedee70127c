{{- define "operator.environment" -}}
- name: RUST_LOG
  value: {{ .Values.logging.env_filter | quote }}
- name: OPERATOR_NAMESPACE
  valueFrom:
    fieldRef: {fieldPath: metadata.namespace}
- name: OPERATOR_LEADER_ELECT
  value: "true"
- name: OPERATOR_LEASE_NAME
  value: {{ include "operator.name" . }}
# By this label the network policies of RestateClusters let the operator in.
- name: OPERATOR_LABEL_NAME
  value: app
- name: OPERATOR_LABEL_VALUE
  valueFrom:
    fieldRef: {fieldPath: "metadata.labels['app']"}
# Events about the operator itself are about this pod.
- name: OPERATOR_POD_NAME
  valueFrom:
    fieldRef: {fieldPath: metadata.name}
- name: OPERATOR_POD_UID
  valueFrom:
    fieldRef: {fieldPath: metadata.uid}
{{- with .Values.watchNamespace }}
- name: OPERATOR_WATCH_NAMESPACES
  value: {{ . | quote }}
{{- end }}
{{- with .Values.awsPodIdentityAssociationCluster }}
- name: AWS_POD_IDENTITY_ASSOCIATION_CLUSTER
  value: {{ . | quote }}
{{- end }}
{{- if .Values.gcpWorkloadIdentity }}
- name: GCP_WORKLOAD_IDENTITY
  value: "true"
{{- end }}
{{- with .Values.canaryImage }}
- name: CANARY_IMAGE
  value: {{ . | quote }}
{{- end }}
{{- with .Values.clusterDns }}
- name: CLUSTER_DNS
  value: {{ . | quote }}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "operator.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
affinity:
{{- with .Values.affinity }}
  {{- toYaml . | nindent 2 }}
{{- else }}
  # Not by a second constraint of spread: a node without a zone would then count for neither.
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: topology.kubernetes.io/zone
          labelSelector:
            matchLabels:
              {{- include "operator.selector" $ | nindent 14 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ toYaml . | nindent 4 | trim }}
    {{- if not .labelSelector }}
    labelSelector:
      matchLabels:
        {{- include "operator.selector" $ | nindent 8 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

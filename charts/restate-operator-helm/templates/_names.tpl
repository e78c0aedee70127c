{{- define "operator.name" -}}
{{- default "restate-operator" .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "operator.account" -}}
{{- default (include "operator.name" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "operator.version" -}}
{{- default .Chart.AppVersion .Values.version }}
{{- end }}

{{- /* Never more and never others: a Deployment's selector cannot be changed, and existing installations have this. */}}
{{- define "operator.selector" -}}
app: {{ include "operator.name" . }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ include "operator.version" . | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

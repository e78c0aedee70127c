{{- /* Mistakes that values.schema.json cannot tell in words. */}}
{{- define "operator.check" -}}
{{- if contains ":" (last (splitList "/" .Values.image.repository)) }}
  {{- fail (printf "image.repository must not have a tag, as %q has: set `version` to it" .Values.image.repository) }}
{{- end }}
{{- if not (regexMatch "^[A-Za-z0-9.-]+$" (default "cluster.local" .Values.clusterDns)) }}
  {{- fail (printf "clusterDns must be a domain name of letters, digits, `.` and `-`, as in cluster.local, and not %q" .Values.clusterDns) }}
{{- end }}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" (include "operator.name" .)) }}
  {{- fail (printf "nameOverride must be a name of small letters, digits and inner dashes that begins with a letter, and not %q" .Values.nameOverride) }}
{{- end }}
{{- if and .Values.watchNamespace (not (regexMatch "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" .Values.watchNamespace)) }}
  {{- fail (printf "watchNamespace must be the name of one namespace, and not %q" .Values.watchNamespace) }}
{{- end }}
{{- end }}

{{- /*
Each alert has a heading of its name in docs/runbooks.md. `home` matches what the ServiceMonitor has from this release; the
label `instance` is the object that a series is about.
*/}}
{{- define "operator.alerts" -}}
RestateOperatorDown:
  expr: absent(restate_operator_build_info{ {{- .home -}} })
  for: 5m
  severity: critical
  summary: No copy of the Restate operator answers
RestateOperatorNoLeader:
  expr: sum(restate_operator_leader{ {{- .home -}} }) == 0
  for: 3m
  severity: critical
  summary: Copies of the Restate operator answer, and none of them leads
RestateOperatorTwoLeaders:
  expr: sum(restate_operator_leader{ {{- .home -}} }) > 1
  for: 5m
  severity: critical
  summary: More than one copy of the Restate operator leads
RestateOperatorCRDMissing:
  expr: max by (crd) (restate_operator_crd_missing{ {{- .home -}} }) == 1
  for: 10m
  severity: critical
  summary: "The Restate operator waits for the CRD {{ "{{ $labels.crd }}" }}"
RestateOperatorForbidden:
  expr: sum by (verb) (increase(restate_operator_api_requests_total{ {{- .home -}} , code=~"401|403"}[15m])) > 0
  for: 15m
  severity: critical
  summary: "The Restate operator is not allowed to {{ "{{ $labels.verb }}" }} something that it needs"
RestateOperatorKubernetesFailing:
  expr: sum(rate(restate_operator_api_requests_total{ {{- .home -}} , code=~"5..|none"}[5m])) / sum(rate(restate_operator_api_requests_total{ {{- .home -}} }[5m])) > 0.1
  for: 10m
  severity: warning
  summary: More than one in ten requests of the Restate operator at the API server fails
RestateOperatorWatchFailing:
  expr: sum by (resource) (increase(restate_operator_watch_failures_total{ {{- .home -}} }[10m])) > 5
  for: 10m
  severity: warning
  summary: "The Restate operator cannot follow {{ "{{ $labels.resource }}" }}"
RestateOperatorUnreadableObjects:
  expr: sum by (resource) (increase(restate_operator_undecodable_objects_total{ {{- .home -}} }[1h])) > 0
  for: 0m
  severity: warning
  summary: "The Restate operator cannot read objects of {{ "{{ $labels.resource }}" }}"
RestateOperatorErrors:
  expr: sum by (kind, instance, error) (increase(restate_operator_reconciliation_errors_total{ {{- .home -}} }[15m])) > 2
  for: 15m
  severity: warning
  summary: "{{ "{{ $labels.kind }} {{ $labels.instance }}" }} fails again and again: {{ "{{ $labels.error }}" }}"
RestateOperatorSlow:
  expr: histogram_quantile(0.99, sum by (le, queue) (rate(restate_operator_workqueue_latency_seconds_bucket{ {{- .home -}} }[5m]))) > 30
  for: 15m
  severity: warning
  summary: "Changes of a {{ "{{ $labels.queue }}" }} wait for more than 30 s"
RestateOperatorStuck:
  expr: sum by (kind) (increase(restate_operator_reconcile_timeouts_total{ {{- .home -}} }[30m])) > 1
  for: 0m
  severity: warning
  summary: "Passes over a {{ "{{ $labels.kind }}" }} do not come to an end"
RestateOperatorBug:
  expr: sum by (kind) (increase(restate_operator_panics_total{ {{- .home -}} }[1h])) > 0
  for: 0m
  severity: warning
  summary: "A pass over a {{ "{{ $labels.kind }}" }} ended in a bug of the operator"
RestateAdminFailing:
  expr: sum(rate(restate_operator_admin_requests_total{ {{- .home -}} , code=~"5..|none"}[10m])) / sum(rate(restate_operator_admin_requests_total{ {{- .home -}} }[10m])) > 0.5
  for: 15m
  severity: warning
  summary: More than half of the calls at Restate's admin API fail
RestateVersionDrainsForLong:
  expr: sum by (instance) (restate_operator_deployment_versions{ {{- .home -}} , phase="Draining"}) > 0
  for: 24h
  severity: info
  summary: "An old version of {{ "{{ $labels.instance }}" }} has had work for a day"
{{- end }}

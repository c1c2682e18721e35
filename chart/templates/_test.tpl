{{/* What `helm test` sends, to whom, and with which credentials. */}}

{{/* The receiver that is tested: the one that is named, or Alertmanager's, or the first. */}}
{{- define "alertmanager-webex.testReceiver" -}}
{{- $receivers := (include "alertmanager-webex.resolved" . | fromJson).config.receivers | default dict -}}
{{- if .Values.test.receiver -}}
{{- .Values.test.receiver -}}
{{- else if and .Values.alertmanagerConfig.enabled (hasKey $receivers .Values.alertmanagerConfig.receiver) -}}
{{- .Values.alertmanagerConfig.receiver -}}
{{- else if hasKey $receivers "default" -}}
default
{{- else -}}
{{- keys $receivers | sortAlpha | first | default "default" -}}
{{- end -}}
{{- end -}}

{{/*
One alert, which says in words that it is a test. Its label `namespace` is one that the receiver takes,
and the revision makes it news after each upgrade.
*/}}
{{- define "alertmanager-webex.testNotification" -}}
{{- $receivers := (include "alertmanager-webex.resolved" . | fromJson).config.receivers | default dict -}}
{{- $receiver := index $receivers (include "alertmanager-webex.testReceiver" .) | default dict -}}
{{- $namespace := .Release.Namespace -}}
{{- with $receiver.namespaces -}}
{{- if not (include "alertmanager-webex.takesNamespace" (list . $namespace)) -}}
{{- $namespace = first . | replace "*" "test" -}}
{{- end -}}
{{- end -}}
{{- $labels := merge (dict) .Values.test.labels (dict "alertname" "HelmTest" "namespace" $namespace "severity" "info") -}}
{{- $annotations := merge (dict) .Values.test.annotations (dict "summary" (printf "This is a test: alerts of %s arrive here" $namespace) "description" (printf "Sent by: helm test %s. Nothing is wrong, and nothing is to be done." .Release.Name)) -}}
{{- $alert := dict "status" "firing" "labels" $labels "annotations" $annotations -}}
{{- dict "version" "4" "status" "firing" "receiver" "helm-test" "groupKey" (printf "helm-test/%s/%s/%d" .Release.Namespace .Release.Name .Release.Revision) "groupLabels" (dict "alertname" "HelmTest") "commonLabels" $labels "commonAnnotations" $annotations "externalURL" "" "truncatedAlerts" 0 "alerts" (list $alert) | toPrettyJson -}}
{{- end -}}

{{/* Labels of the test's pods: of the release, but not among those that the Service selects. */}}
{{- define "alertmanager-webex.testLabels" -}}
{{ include "alertmanager-webex.releaseLabels" . }}
app.kubernetes.io/component: test
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with merge (dict) .Values.podLabels .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The hook. Takes a list: root, the weight. */}}
{{- define "alertmanager-webex.testAnnotations" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ index . 1 | quote }}
# A pod that failed stays, so that it can be looked at; the next test replaces it.
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
# Helm prints the log from 3.18 on. Its older `--logs` finds no pod that succeeded.
helm.sh/hook-output-log-policy: hook-succeeded,hook-failed
{{- with merge (dict) (index . 0).Values.podAnnotations (index . 0).Values.commonAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What `helm test` mounts beside the configuration's own: a CA and a certificate to call with. */}}
{{- define "alertmanager-webex.testFiles" -}}
{{- $files := list -}}
{{- if eq (include "alertmanager-webex.scheme" .) "https" -}}
{{- if or .Values.serverCa.existingSecret .Values.serverCa.existingConfigMap -}}
{{- $files = append $files .Values.serverCa -}}
{{- end -}}
{{- with .Values.alertmanagerConfig.clientCertificate -}}
{{- if .existingSecret -}}
{{- $files = append $files (dict "existingSecret" .existingSecret "key" .certKey) -}}
{{- $files = append $files (dict "existingSecret" .existingSecret "key" .keyKey) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "files" $files | toJson -}}
{{- end -}}

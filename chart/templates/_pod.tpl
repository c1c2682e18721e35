{{/* What the service's pod and the pods of `helm test` have in common: both read the same files. */}}

{{- define "alertmanager-webex.containerBasics" -}}
image: {{ include "alertmanager-webex.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.containerSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Folders, not single files: Kubernetes never updates a file that is mounted by `subPath`. */}}
{{- define "alertmanager-webex.volumeMounts" -}}
- name: config
  mountPath: /etc/alertmanager-webex/config
  readOnly: true
{{- if or .Values.templates .Values.existingTemplatesConfigMap }}
- name: templates
  mountPath: /etc/alertmanager-webex/templates
  readOnly: true
{{- end }}
- name: secrets
  mountPath: /run/secrets/alertmanager-webex
  readOnly: true
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Takes a list: root, references of its own that are mounted beside those of the configuration. */}}
{{- define "alertmanager-webex.volumes" -}}
{{- $root := index . 0 -}}
{{- $resolved := include "alertmanager-webex.resolved" $root | fromJson -}}
{{- range index . 1 -}}
{{- $kind := ternary "secrets" "configMaps" (not (empty .existingSecret)) -}}
{{- $name := .existingSecret | default .existingConfigMap -}}
{{- $keys := index $resolved $kind $name | default dict -}}
{{- $_ := set $keys .key true -}}
{{- $_ := set (index $resolved $kind) $name $keys -}}
{{- end -}}
- name: config
  configMap:
    name: {{ include "alertmanager-webex.fullname" $root }}
{{- if or $root.Values.templates $root.Values.existingTemplatesConfigMap }}
- name: templates
  configMap:
    name: {{ $root.Values.existingTemplatesConfigMap | default (printf "%s-templates" (include "alertmanager-webex.fullname" $root)) }}
{{- end }}
- name: secrets
  projected:
    # Readable for the pod's group, which `fsGroup` names.
    defaultMode: 0440
    sources:
      {{- range $name, $keys := $resolved.secrets }}
      - secret:
          name: {{ $name }}
          items:
            {{- range $key, $_ := $keys }}
            - key: {{ $key }}
              path: {{ $name }}/{{ $key }}
            {{- end }}
      {{- end }}
      {{- range $name, $keys := $resolved.configMaps }}
      - configMap:
          name: {{ $name }}
          items:
            {{- range $key, $_ := $keys }}
            - key: {{ $key }}
              path: configmap.{{ $name }}/{{ $key }}
            {{- end }}
      {{- end }}
      {{- if not (or $resolved.secrets $resolved.configMaps) }}
      []
      {{- end }}
{{- with $root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What says where a pod runs and as whom. */}}
{{- define "alertmanager-webex.podBasics" -}}
serviceAccountName: {{ include "alertmanager-webex.serviceAccountName" . }}
# Nothing here speaks to Kubernetes.
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What several objects of prometheus-operator write alike. */}}

{{/* `ca` of a tlsConfig: the CA that signed the service's certificate, where one is named. */}}
{{- define "alertmanager-webex.operatorCa" -}}
{{- with .Values.serverCa.existingSecret }}
ca:
  secret:
    name: {{ . }}
    key: {{ $.Values.serverCa.key }}
{{- end }}
{{- with .Values.serverCa.existingConfigMap }}
ca:
  configMap:
    name: {{ . }}
    key: {{ $.Values.serverCa.key }}
{{- end }}
{{- end -}}

{{/*
What Alertmanager shows to the receiver of `alertmanagerConfig`, as JSON: `authorization` or `basicAuth`
with names and keys of Secrets. Without values of its own it is the Secret that the receiver's
`bearer_token_file` refers to.
*/}}
{{- define "alertmanager-webex.callerCredentials" -}}
{{- $settings := .Values.alertmanagerConfig -}}
{{- $shown := dict -}}
{{- if $settings.authorization.existingSecret -}}
{{- $_ := set $shown "authorization" (dict "name" $settings.authorization.existingSecret "key" $settings.authorization.key) -}}
{{- else if $settings.basicAuth.existingSecret -}}
{{- $name := $settings.basicAuth.existingSecret -}}
{{- $_ := set $shown "basicAuth" (dict "username" (dict "name" $name "key" $settings.basicAuth.usernameKey) "password" (dict "name" $name "key" $settings.basicAuth.passwordKey)) -}}
{{- else -}}
{{- with include "alertmanager-webex.callerToken" (list . $settings.receiver) | fromJson -}}
{{- $_ := set $shown "authorization" (dict "name" .existingSecret "key" .key) -}}
{{- end -}}
{{- end -}}
{{- toJson $shown -}}
{{- end -}}

{{/*
The reference in a receiver's `bearer_token_file`, as JSON; {} where there is none, or a path.
Takes a list: root, the receiver's name.
*/}}
{{- define "alertmanager-webex.callerToken" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $receiver := index (($root.Values.config).receivers | default dict) $name | default dict -}}
{{- if and (kindIs "map" $receiver.bearer_token_file) (($receiver.bearer_token_file | default dict).existingSecret) -}}
{{- $receiver.bearer_token_file | toJson -}}
{{- else if and (eq $name "default") $root.Values.secretKeys.caller (not (or $receiver.bearer_token_file $receiver.basic_auth $receiver.client_subjects)) -}}
{{- dict "existingSecret" $root.Values.existingSecret "key" $root.Values.secretKeys.caller | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{/* Alertmanager's `tlsConfig` for the service, where that speaks TLS. */}}
{{- define "alertmanager-webex.alertmanagerTls" -}}
{{- if eq (include "alertmanager-webex.scheme" .) "https" -}}
serverName: {{ include "alertmanager-webex.host" . }}
{{- include "alertmanager-webex.operatorCa" . }}
{{- with .Values.alertmanagerConfig.clientCertificate.existingSecret }}
cert:
  secret:
    name: {{ . }}
    key: {{ $.Values.alertmanagerConfig.clientCertificate.certKey }}
keySecret:
  name: {{ . }}
  key: {{ $.Values.alertmanagerConfig.clientCertificate.keyKey }}
{{- end }}
{{- end -}}
{{- end -}}

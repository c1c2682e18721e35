{{/*
The configuration as the service will read it, worked out once for all objects.

Gives JSON:
  config      what becomes config.toml: `config` of the values, completed by `existingSecret` and the
              like, every reference to a Secret or a ConfigMap replaced by the path it is mounted at
  secrets     name of a Secret -> its keys that are mounted
  configMaps  the same for ConfigMaps
*/}}
{{- define "alertmanager-webex.resolved" -}}
{{- $config := deepCopy (.Values.config | default dict) -}}
{{- range $section := list "bots" "rooms" "receivers" "webhooks" "templates" "server" -}}
{{- if not (index $config $section) }}{{ $_ := set $config $section dict }}{{ end -}}
{{- end -}}
{{- $secret := include "alertmanager-webex.secretName" . -}}

{{- /* The bot of the short way. */ -}}
{{- if and $secret (not $config.bots) -}}
{{- $_ := set $config.bots "default" (dict "token_file" (dict "existingSecret" $secret "key" .Values.secretKeys.token)) -}}
{{- end -}}

{{- /* Its receiver and its room, where the configuration does not say where to post. */ -}}
{{- if $secret -}}
{{- if not $config.receivers }}{{ $_ := set $config.receivers "default" dict }}{{ end -}}
{{- with index $config.receivers "default" | default dict -}}
{{- if not (or .rooms .people .webhooks .room_from) -}}
{{- $_ := set . "rooms" (list "default") -}}
{{- $_ := set $config.receivers "default" . -}}
{{- end -}}
{{- end -}}
{{- if and (hasKey $config.receivers "default") (not $config.receivers.default) -}}
{{- $_ := set $config.receivers "default" (dict "rooms" (list "default")) -}}
{{- end -}}
{{- $asked := false -}}
{{- range $config.receivers }}{{ if has "default" (.rooms | default list) }}{{ $asked = true }}{{ end }}{{ end -}}
{{- if and $asked (not (hasKey $config.rooms "default")) -}}
{{- if .Values.room -}}
{{- $_ := set $config.rooms "default" .Values.room -}}
{{- else if .Values.existingSecret -}}
{{- $_ := set $config.rooms "default" (dict "id_file" (dict "existingSecret" .Values.existingSecret "key" .Values.secretKeys.room)) -}}
{{- end -}}
{{- end -}}
{{- with and .Values.secretKeys.caller (index $config.receivers "default") -}}
{{- if not (or .bearer_token_file .basic_auth .client_subjects) -}}
{{- $_ := set . "bearer_token_file" (dict "existingSecret" $secret "key" $.Values.secretKeys.caller) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if or .Values.templates .Values.existingTemplatesConfigMap -}}
{{- $_ := set $config.templates "directory" "/etc/alertmanager-webex/templates" -}}
{{- end -}}

{{- $found := dict "secrets" dict "configMaps" dict -}}
{{- $_ := include "alertmanager-webex.mountFiles" (dict "table" $config "found" $found) -}}
{{- range $section := list "bots" "rooms" "receivers" "webhooks" "templates" "server" -}}
{{- if not (index $config $section) }}{{ $_ := unset $config $section }}{{ end -}}
{{- end -}}
{{- dict "config" $config "secrets" $found.secrets "configMaps" $found.configMaps | toJson -}}
{{- end -}}

{{/* The Secret of the short way: one that exists, or the chart's own. */}}
{{- define "alertmanager-webex.secretName" -}}
{{- if .Values.existingSecret -}}
{{- if not (include "alertmanager-webex.isName" .Values.existingSecret) -}}
{{- fail "\n\nThese values cannot work:\n- `existingSecret` can be no name of a Secret: write the name of the Secret, not what it holds.\n" -}}
{{- end -}}
{{- .Values.existingSecret -}}
{{- else if .Values.token -}}
{{- include "alertmanager-webex.fullname" . -}}
{{- end -}}
{{- end -}}

{{/*
Replaces each reference in `table` and in what it holds by the path of its file, and notes in `found`
what has to be mounted.
*/}}
{{- define "alertmanager-webex.mountFiles" -}}
{{- $found := .found -}}
{{- $table := .table -}}
{{- range $key, $value := .table -}}
{{- if and (kindIs "map" $value) (hasSuffix "_file" $key) -}}
{{- $_ := set $table $key (include "alertmanager-webex.file" $value) -}}
{{- $kind := ternary "secrets" "configMaps" (hasKey $value "existingSecret") -}}
{{- $name := $value.existingSecret | default $value.existingConfigMap -}}
{{- if not (include "alertmanager-webex.isName" $name) -}}
{{- /* What it is instead is not told: it may be the token itself. */ -}}
{{- fail (printf "\n\nThese values cannot work:\n- `%s` of `config` has an `existingSecret` that can be no name of a Secret: write the name of the Secret, not what it holds.\n" $key) -}}
{{- end -}}
{{- $keys := index $found $kind $name | default dict -}}
{{- $_ := set $keys $value.key true -}}
{{- $_ := set (index $found $kind) $name $keys -}}
{{- else if and (kindIs "map" $value) (ne $key "settings") -}}
{{- include "alertmanager-webex.mountFiles" (dict "table" $value "found" $found) -}}
{{- else if kindIs "slice" $value -}}
{{- range $value -}}
{{- if kindIs "map" . -}}
{{- include "alertmanager-webex.mountFiles" (dict "table" . "found" $found) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* "true" for what Kubernetes takes as a name. */}}
{{- define "alertmanager-webex.isName" -}}
{{- if and (regexMatch "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$" .) (le (len .) 253) }}true{{ end -}}
{{- end -}}

{{/* Where a key of a Secret or a ConfigMap is mounted. */}}
{{- define "alertmanager-webex.file" -}}
{{- if .existingSecret -}}
{{- printf "/run/secrets/alertmanager-webex/%s/%s" .existingSecret .key -}}
{{- else -}}
{{- printf "/run/secrets/alertmanager-webex/configmap.%s/%s" .existingConfigMap .key -}}
{{- end -}}
{{- end -}}

{{/* The file itself. */}}
{{- define "alertmanager-webex.configToml" -}}
{{- $resolved := include "alertmanager-webex.resolved" . | fromJson -}}
{{- include "alertmanager-webex.toml" (dict "table" $resolved.config "path" "") | trim -}}
{{- end -}}

{{/*
What a reload cannot take up, as docs/reload.md lists it: a change of these, and of nothing else,
replaces the pod.
*/}}
{{- define "alertmanager-webex.needsRestart" -}}
{{- $config := .Values.config | default dict -}}
{{- $all := dict -}}
{{- range $key := splitList " " "log.format server.admin_listen server.head_timeout server.listen server.max_connections server.path_prefix server.workers" -}}
{{- $parts := splitList "." $key -}}
{{- $section := index $config (first $parts) | default dict -}}
{{- if hasKey $section (last $parts) }}{{ $_ := set $all $key (index $section (last $parts)) }}{{ end -}}
{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{/* Ports, scheme and paths, as the configuration has them. An empty string where there is none. */}}
{{- define "alertmanager-webex.port" -}}
{{- regexFind "[0-9]+$" ((.Values.config.server).listen | default "0.0.0.0:9091") -}}
{{- end -}}
{{- define "alertmanager-webex.adminPort" -}}
{{- regexFind "[0-9]+$" ((.Values.config.server).admin_listen | default "") -}}
{{- end -}}
{{- define "alertmanager-webex.scheme" -}}
{{- if ((.Values.config.server).tls).cert_file }}https{{ else }}http{{ end -}}
{{- end -}}
{{- define "alertmanager-webex.prefix" -}}
{{- (.Values.config.server).path_prefix | default "" | trimSuffix "/" -}}
{{- end -}}
{{- define "alertmanager-webex.host" -}}
{{- printf "%s.%s.svc" (include "alertmanager-webex.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* Where Alertmanager posts for a receiver. Takes a list: root, the receiver's name. */}}
{{- define "alertmanager-webex.url" -}}
{{- $root := index . 0 -}}
{{- $receiver := index . 1 -}}
{{- $base := printf "%s://%s:%d%s/alertmanager" (include "alertmanager-webex.scheme" $root) (include "alertmanager-webex.host" $root) (int $root.Values.service.port) (include "alertmanager-webex.prefix" $root) -}}
{{- if eq $receiver "default" }}{{ $base }}{{ else }}{{ $base }}/{{ $receiver }}{{ end -}}
{{- end -}}

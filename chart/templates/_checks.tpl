{{/*
What is wrong with the values, beyond what values.schema.json can say: each a sentence that names the
value and the remedy, all at once, before anything is installed.
*/}}
{{- define "alertmanager-webex.check" -}}
{{- $wrong := list -}}
{{- range $part := list "Secrets" "Times" "Receivers" "Templates" "Replicas" "AlertmanagerConfig" "Rules" -}}
{{- $said := include (printf "alertmanager-webex.check%s" $part) $ -}}
{{- range $line := splitList "\n" $said -}}
{{- with trim $line }}{{ $wrong = append $wrong . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n\nThese values cannot work:\n- %s\n" (join "\n- " $wrong)) -}}
{{- end -}}
{{- end -}}

{{- define "alertmanager-webex.checkSecrets" -}}
{{- $config := .Values.config | default dict -}}
{{- if and .Values.existingSecret .Values.token }}
`token` is set, and `existingSecret` ("{{ .Values.existingSecret }}") as well, so it is open which token counts: remove one of them.
{{- end -}}
{{- if and (or .Values.existingSecret .Values.token) $config.bots }}
`{{ ternary "existingSecret" "token" (not (empty .Values.existingSecret)) }}` is set, and `config.bots` ("{{ keys $config.bots | sortAlpha | first }}") as well, so it is open which token counts: remove one of them. Where there are several bots, name a Secret in each: `token_file: {existingSecret: …, key: …}`.
{{- end -}}
{{- if not (or .Values.existingSecret .Values.token $config.bots $config.webhooks) }}
There is no token of Webex: set `existingSecret` to the name of a Secret of namespace "{{ .Release.Namespace }}" with the keys `{{ .Values.secretKeys.token }}` and `{{ .Values.secretKeys.room }}`, or `config.bots`.
{{- end -}}
{{- if and .Values.room (not (or .Values.existingSecret .Values.token)) }}
`room` is set, but neither `existingSecret` nor `token`, so nothing would use it: set one of them, or write the id into `config.rooms`.
{{- end -}}
{{- if and .Values.token (not .Values.room) -}}
{{- $default := index ($config.receivers | default dict) "default" | default dict -}}
{{- if not (or (omit ($config.receivers | default dict) "default") $default.rooms $default.people $default.webhooks $default.room_from) }}
`token` is set, but nothing says where to post: set `room` to the id of a room, or `config.receivers`.
{{- end -}}
{{- end -}}
{{- with .Values.secretKeys.caller -}}
{{- if not (or $.Values.existingSecret $.Values.token) }}
`secretKeys.caller` is "{{ . }}", but there is no `existingSecret` that could have such a key: set it, or write `bearer_token_file: {existingSecret: …, key: …}` for each of `config.receivers`.
{{- else if $.Values.token }}
`secretKeys.caller` is "{{ . }}", but the Secret that the chart makes of `token` has no such key: use `existingSecret`.
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Durations and sizes; which keys they are comes from the schema of the binary. */}}
{{- define "alertmanager-webex.checkTimes" -}}
{{- $config := .Values.config | default dict -}}
{{- range $path, $kind := .Files.Get "files/shapes.json" | fromJson -}}
{{- $parts := splitList "." $path -}}
{{- $value := index (index $config (first $parts) | default dict) (last $parts) -}}
{{- if not (kindIs "invalid" $value) -}}
{{- if eq $kind.is "duration" -}}
{{- if not (and (kindIs "string" $value) (regexMatch $kind.pattern (toString $value))) }}
`config.{{ $path }}` is {{ toRawJson $value }}, and that is no duration: write it like "9s", "1m 30s" or "300ms", with its unit and in quotes.
{{- end -}}
{{- else if not (and (kindIs "string" $value) (regexMatch $kind.pattern (toString $value))) }}
`config.{{ $path }}` is {{ toRawJson $value }}, and that is no size: write it like "4MiB" or "64KiB", in quotes.
{{- end -}}
{{- end -}}
{{- end -}}
{{- $server := $config.server | default dict -}}
{{- range $key := list "listen" "admin_listen" -}}
{{- with index $server $key -}}
{{- if or (not (regexMatch "^([0-9.]+|\\[[0-9a-fA-F:.%]+\\]):[0-9]+$" .)) (regexMatch ":0+$" .) }}
`config.server.{{ $key }}` is "{{ . }}", and that is no address with a port: write it like "0.0.0.0:9091", or "[::]:9091" where there is only IPv6.
{{- else if or (hasPrefix "127." .) (hasPrefix "[::1]" .) }}
`config.server.{{ $key }}` is "{{ . }}", which only the pod itself reaches: write it like "0.0.0.0:9091".
{{- end -}}
{{- end -}}
{{- end -}}
{{- $port := include "alertmanager-webex.port" . -}}
{{- $admin := include "alertmanager-webex.adminPort" . -}}
{{- if and $admin (eq $port $admin) }}
`config.server.listen` and `config.server.admin_listen` both have the port {{ $port }}: give one of them another.
{{- end -}}
{{- if and $admin (eq (int .Values.service.port) (int .Values.service.adminPort)) }}
`service.port` and `service.adminPort` are both {{ .Values.service.port }}: give one of them another.
{{- end -}}
{{- $need := addf (include "alertmanager-webex.seconds" ($server.shutdown_delay | default "2s")) (include "alertmanager-webex.seconds" ($server.shutdown_grace | default "40s")) -}}
{{- if lt (float64 .Values.terminationGracePeriodSeconds) $need }}
`terminationGracePeriodSeconds` is {{ .Values.terminationGracePeriodSeconds }}, less than `config.server.shutdown_delay` and `config.server.shutdown_grace` together, {{ $need }} s, so Kubernetes would end the process while it still delivers: set it to {{ add (ceil $need) 8 }} or more.
{{- end -}}
{{- end -}}

{{/* A duration in seconds. What is none has been told elsewhere, and counts as nothing. */}}
{{- define "alertmanager-webex.seconds" -}}
{{- $sum := 0.0 -}}
{{- $units := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0 -}}
{{- range regexFindAll "[0-9]+(\\.[0-9]+)?\\s*[a-z]+" (toString .) -1 -}}
{{- $unit := regexFind "[a-z]+" . -}}
{{- $short := $unit -}}
{{- if not (hasKey $units $unit) -}}
{{- $short = ternary "ms" (trunc 1 $unit) (hasPrefix "milli" $unit) -}}
{{- end -}}
{{- $sum = addf $sum (mulf (float64 (regexFind "[0-9]+(\\.[0-9]+)?" .)) (index $units $short | default 0.0)) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* Names in receivers that lead nowhere. */}}
{{- define "alertmanager-webex.checkReceivers" -}}
{{- $config := (include "alertmanager-webex.resolved" . | fromJson).config -}}
{{- $rooms := $config.rooms | default dict -}}
{{- $bots := $config.bots | default dict -}}
{{- $webhooks := $config.webhooks | default dict -}}
{{- if not $config.receivers }}
`config.receivers` has no entry, so nothing could be delivered: say who posts to which rooms.
{{- end -}}
{{- range $name, $receiver := $config.receivers -}}
{{- $receiver = $receiver | default dict -}}
{{- $key := printf "config.receivers.%s" $name -}}
{{- range $room := concat ($receiver.rooms | default list) (($receiver.room_from).allow | default list) -}}
{{- /* An id is longer than any name; `dev-*` is a beginning. */ -}}
{{- if not (or (hasKey $rooms $room) (ge (len $room) 32) (hasSuffix "*" $room)) }}
`{{ $key }}` names the room "{{ $room }}", and `config.rooms` has none of that name{{ with keys $rooms | sortAlpha }}, only {{ join ", " . }}{{ end }}: add it there, or name another.
{{- end -}}
{{- end -}}
{{- range $webhook := $receiver.webhooks | default list -}}
{{- if not (hasKey $webhooks $webhook) }}
`{{ $key }}` names the webhook "{{ $webhook }}", and `config.webhooks` has none of that name{{ with keys $webhooks | sortAlpha }}, only {{ join ", " . }}{{ end }}: add it there, or name another.
{{- end -}}
{{- end -}}
{{- if and $receiver.bot (not (hasKey $bots $receiver.bot)) }}
`{{ $key }}` names the bot "{{ $receiver.bot }}", and `config.bots` has none of that name{{ with keys $bots | sortAlpha }}, only {{ join ", " . }}{{ end }}: add it there, or name another.
{{- end -}}
{{- if and (not $receiver.bot) (gt (len $bots) 1) (or $receiver.rooms $receiver.people $receiver.room_from) }}
`{{ $key }}` names no bot, and there are {{ len $bots }}: add `bot`, one of {{ keys $bots | sortAlpha | join ", " }}.
{{- end -}}
{{- if not (or $receiver.rooms $receiver.people $receiver.webhooks $receiver.room_from) }}
`{{ $key }}` says not where to post: add `rooms`, `people` or `webhooks`.
{{- end -}}
{{- if and (eq (toString ($config.server).open) "false") (not (or $receiver.bearer_token_file $receiver.basic_auth $receiver.client_subjects)) }}
`{{ $key }}` asks for no credentials, and `config.server.open` is false: add `bearer_token_file: {existingSecret: …, key: …}`, `basic_auth` or `client_subjects`.
{{- end -}}
{{- if and $receiver.client_subjects (not (($config.server).tls).client_ca_file) }}
`{{ $key }}.client_subjects` needs `config.server.tls.client_ca_file`, the CA that signs the callers' certificates: add it.
{{- end -}}
{{- end -}}
{{- $tls := ($config.server).tls | default dict -}}
{{- if ne (empty $tls.cert_file) (empty $tls.key_file) }}
`config.server.tls` has only one of `cert_file` and `key_file`: add the other, such as `{existingSecret: …, key: {{ ternary "tls.crt" "tls.key" (empty $tls.cert_file) }}}`.
{{- end -}}
{{- end -}}

{{- define "alertmanager-webex.checkTemplates" -}}
{{- if and .Values.templates .Values.existingTemplatesConfigMap }}
`existingTemplatesConfigMap` is "{{ .Values.existingTemplatesConfigMap }}", and `templates` is set as well: remove one of them.
{{- end -}}
{{- if and ((.Values.config).templates).directory (or .Values.templates .Values.existingTemplatesConfigMap) }}
`config.templates.directory` is "{{ .Values.config.templates.directory }}", but the chart mounts the templates elsewhere and sets it by itself: remove it.
{{- end -}}
{{- if not (or .Values.existingTemplatesConfigMap ((.Values.config).templates).directory) -}}
{{- range $name, $receiver := (.Values.config).receivers -}}
{{- $template := ($receiver | default dict).template | default "default" -}}
{{- if not (or (has $template (splitList " " "compact default detailed thread")) (hasKey $.Values.templates (printf "%s.md" $template))) }}
`config.receivers.{{ $name }}` names the template "{{ $template }}", and `templates` has no file "{{ $template }}.md": add it, or name another.
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "alertmanager-webex.checkReplicas" -}}
{{- $replicas := int .Values.replicaCount -}}
{{- if and (gt $replicas 1) (not .Values.acceptDuplicates) }}
`replicaCount` is {{ $replicas }}: pods do not know what the others have posted, so Alertmanager's retries and its peers reach another pod and are posted again. Set it to 1, or `acceptDuplicates: true` if messages may come twice.
{{- end -}}
{{- if and .Values.podDisruptionBudget.enabled (lt $replicas 2) }}
`podDisruptionBudget.enabled` is true, but `replicaCount` is {{ $replicas }}: a budget for one pod either protects nothing or keeps nodes from being drained. Set it to false; Alertmanager keeps what comes while the pod moves.
{{- end -}}
{{- end -}}

{{- define "alertmanager-webex.checkAlertmanagerConfig" -}}
{{- $settings := .Values.alertmanagerConfig -}}
{{- if $settings.enabled -}}
{{- $config := (include "alertmanager-webex.resolved" . | fromJson).config -}}
{{- if not (hasKey ($config.receivers | default dict) $settings.receiver) }}
`alertmanagerConfig.receiver` is "{{ $settings.receiver }}", and `config.receivers` has none of that name{{ with keys ($config.receivers | default dict) | sortAlpha }}, only {{ join ", " . }}{{ end }}: name one of these.
{{- else -}}
{{- $receiver := index $config.receivers $settings.receiver -}}
{{- if and $receiver.namespaces (not (include "alertmanager-webex.takesNamespace" (list $receiver.namespaces .Release.Namespace))) }}
`alertmanagerConfig` brings alerts of namespace "{{ .Release.Namespace }}", but `config.receivers.{{ $settings.receiver }}.namespaces` has only {{ join ", " $receiver.namespaces }}, so all of them would be refused: add "{{ .Release.Namespace }}".
{{- end -}}
{{- if and $receiver.basic_auth (not $receiver.bearer_token_file) (not (or $settings.basicAuth.existingSecret $settings.authorization.existingSecret)) }}
`alertmanagerConfig.basicAuth.existingSecret` is empty, but the receiver "{{ $settings.receiver }}" asks for a name and a password: name the Secret that holds both.
{{- end -}}
{{- end -}}
{{- if and $settings.authorization.existingSecret $settings.basicAuth.existingSecret }}
`alertmanagerConfig.authorization` ("{{ $settings.authorization.existingSecret }}") and `alertmanagerConfig.basicAuth` ("{{ $settings.basicAuth.existingSecret }}") are both set, and Alertmanager sends one of them: remove the other.
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "alertmanager-webex.checkRules" -}}
{{- $known := list -}}
{{- range (.Files.Get "monitoring/alerts.yaml" | fromYaml).groups }}{{ range .rules }}{{ with .alert }}{{ $known = append $known . }}{{ end }}{{ end }}{{ end -}}
{{- range $name, $_ := .Values.prometheusRule.rules -}}
{{- if not (has $name $known) }}
`prometheusRule.rules` names the alert "{{ $name }}", and there is none of that name: name one of {{ join ", " $known }}.
{{- end -}}
{{- end -}}
{{- end -}}

{{/* "true" where a namespace is one of a receiver's. Takes a list: the receiver's, the namespace. */}}
{{- define "alertmanager-webex.takesNamespace" -}}
{{- $namespace := index . 1 -}}
{{- range index . 0 -}}
{{- if or (eq . $namespace) (and (hasSuffix "*" .) (hasPrefix (trimSuffix "*" .) $namespace)) -}}true{{- end -}}
{{- end -}}
{{- end -}}

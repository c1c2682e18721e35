{{/*
TOML, written key by key. Helm's own `toToml` writes every number of a values file as a decimal
(`burst = 30.0`), because YAML comes to it through JSON; where a whole number is meant, such a one is
wrong.
*/}}

{{/* One table and those in it. Takes `table`, and `path`: its name, quoted where need be, or "". */}}
{{- define "alertmanager-webex.toml" -}}
{{- $path := .path -}}
{{- range $key, $value := .table -}}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value)) }}
{{ include "alertmanager-webex.tomlKey" $key }} = {{ include "alertmanager-webex.tomlValue" $value }}
{{- end -}}
{{- end -}}
{{- range $key, $value := .table -}}
{{- if kindIs "map" $value -}}
{{- $inner := include "alertmanager-webex.tomlKey" $key -}}
{{- if $path }}{{ $inner = printf "%s.%s" $path $inner }}{{ end -}}
{{- $hasOwn := not $value -}}
{{- range $value }}{{ if not (kindIs "map" .) }}{{ $hasOwn = true }}{{ end }}{{ end -}}
{{- /* A table that holds nothing but tables needs no head. */ -}}
{{- if $hasOwn }}

[{{ $inner }}]
{{- end -}}
{{- include "alertmanager-webex.toml" (dict "table" $value "path" $inner) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "alertmanager-webex.tomlKey" -}}
{{- if regexMatch "^[A-Za-z0-9_-]+$" . }}{{ . }}{{ else }}{{ toRawJson . }}{{ end -}}
{{- end -}}

{{/* A string of JSON is one of TOML. */}}
{{- define "alertmanager-webex.tomlValue" -}}
{{- if typeIs "json.Number" . -}}
{{- . -}}
{{- else if kindIs "float64" . -}}
{{- if eq (floor .) . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else if kindIs "slice" . -}}
{{- $all := list -}}
{{- range . }}{{ $all = append $all (include "alertmanager-webex.tomlValue" .) }}{{ end -}}
[{{ join ", " $all }}]
{{- else if kindIs "map" . -}}
{{- $all := list -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $all = append $all (printf "%s = %s" (include "alertmanager-webex.tomlKey" $key) (include "alertmanager-webex.tomlValue" $value)) -}}
{{- end -}}
{{- end -}}
{ {{- join ", " $all -}} }
{{- else if kindIs "string" . -}}
{{- toRawJson . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

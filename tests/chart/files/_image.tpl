{{/* The image as pods name it, and as probe pods are held to it. */}}
{{- define "netpol-canary.image" -}}
{{- $tag := .Values.image.tag | default (ternary "" .Chart.AppVersion (ne "" .Values.image.digest)) -}}
{{- .Values.image.repository }}{{ with $tag }}:{{ . }}{{ end }}{{ with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end }}

#!/bin/sh
# Prints the dashboards and rules of deploy/ as Kubernetes' objects, for Grafana's sidecar (label grafana_dashboard) and the
# Prometheus operator:
#
#   deploy/kubernetes/monitoring.sh | kubectl apply --server-side -n monitoring -f -
#
# Server-side, since a dashboard is larger than the annotation that apply would keep of it.
set -eu

deploy=$(cd "$(dirname "$0")/.." && pwd)

# A file as an item of `data`, indented as YAML's block wants it.
item() {
    printf '  %s: |\n' "$(basename "$1")"
    sed 's/^/    /' "$1"
    echo
}

cat <<'END'
apiVersion: v1
kind: ConfigMap
metadata:
  name: leadstream-dashboards
  labels:
    app.kubernetes.io/name: leadstream
    grafana_dashboard: "1"
data:
END
for file in "$deploy"/grafana/dashboards/*.json; do
    item "$file"
done

# A file of rules is what the operator's object has for its spec.
for file in "$deploy"/prometheus/rules/*.yml; do
    [ -e "$file" ] || continue
    cat <<END
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: leadstream-$(basename "$file" .yml)
  labels:
    app.kubernetes.io/name: leadstream
spec:
END
    sed 's/^/  /' "$file"
done

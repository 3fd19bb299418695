"""A shop of two workloads as files: what runs, who may reach whom, and what is intended."""

MANIFESTS = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: web, ports: [{containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: c, image: db, ports: [{containerPort: 5432}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: other, namespace: shop}
spec: {}
"""
POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 5432}]
"""
TESTS = """apiVersion: netpol-canary.dev/v1alpha1
kind: PolicyTest
metadata: {name: shop}
spec:
  intents:
  - {name: web uses db, expect: reach, from: {workload: shop/web}, to: {labels: {app: db}}, ports: [{port: 5432}]}
  - {name: nobody outside, expect: blocked, from: {internet: true}, to: {workload: db}, ports: [{port: 5432}]}
  only:
  - {name: only web, to: {labels: {app: db}}, onlyFrom: [{labels: {app: web}}], reason: it holds cards}
"""
DENY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: [{ports: [{port: 53, protocol: UDP}]}, {to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}]}
"""
DNS = "{ports: [{port: 53, protocol: UDP}]}"
POLICIES = DENY.replace(DNS, f"{DNS}, {{to: [{{podSelector: {{}}}}]}}") + "---\n" + POLICY
# The same, with the database open to the internet.
EXPOSED = POLICIES.replace("{podSelector: {matchLabels: {app: web}}}", "{ipBlock: {cidr: 0.0.0.0/0}}")

"""Rules about NetworkPolicies, and about manifests as such."""

from orchestrator.policy.lint.rules.rule import Rule

RULES = (
    Rule(
        "NPC001",
        "warning",
        "the policy selects no workload",
        "Its podSelector matches no workload of its namespace, so that it does nothing: often a misspelt label, or a "
        "misspelt namespace.",
        "correct the label or the namespace, or delete the policy",
    ),
    Rule(
        "NPC002",
        "warning",
        "a peer matches no workload",
        "A peer of a rule matches nothing among the workloads and namespaces that are known here: a misspelt "
        "label or namespace opens nothing, and its client is cut off.",
        "correct the label or the namespace, or delete the peer",
    ),
    Rule(
        "NPC003",
        "warning",
        "the policy lets the whole internet in",
        "An ingress rule has no `from`, or a block of all addresses: everybody may connect on its ports.",
        "name who may connect under `from`, or ignore the rule with a reason",
    ),
    Rule(
        "NPC004",
        "info",
        "a workload has no ingress policy",
        "No policy isolates the workload for ingress: whoever reaches its address may connect. A default-deny "
        "policy (podSelector: {}, policyTypes: [Ingress]) in the namespace changes that.",
        "give the namespace a default-deny policy: podSelector: {}, policyTypes: [Ingress]",
    ),
    Rule(
        "NPC005",
        "error",
        "egress is denied without DNS",
        "The workload is isolated for egress, and no rule lets it reach port 53 over UDP: names do not resolve, "
        "and nothing that it calls by name works.",
        "allow egress on port 53 over UDP and TCP",
    ),
    Rule(
        "NPC006",
        "error",
        "a named port exists nowhere",
        "No workload that the rule can mean declares a container port of this name and protocol, so that the "
        "rule opens nothing.",
        "name a port that the containers declare, or give its number",
    ),
    Rule(
        "NPC007",
        "info",
        "the policy adds nothing",
        "Every direction that it isolates and every rule that it has is given by another policy for at least the "
        "same pods: it is shadowed, and removing it changes nothing.",
        "delete the policy",
    ),
    Rule(
        "NPC008",
        "warning",
        "the namespace has no default-deny",
        "Some policies stand in the namespace, and none selects all of its pods (podSelector: {}) for ingress: a "
        "workload that comes later is open until somebody thinks of it.",
        "add a policy with podSelector: {} and policyTypes: [Ingress]",
    ),
    Rule(
        "NPC009",
        "warning",
        "egress is allowed and the matching ingress is denied",
        "A rule lets the workload connect to another one, which keeps it out on every one of these ports: both "
        "ends must allow a connection. Either the ingress rule is missing, or the egress rule is left over.",
        "allow it in an ingress rule of the other end, or delete the egress rule",
    ),
    Rule(
        "NPC010",
        "warning",
        "ingress is allowed and the matching egress is denied",
        "A rule lets another workload in, which may not connect on any of these ports itself: both ends must allow "
        "a connection. Either the egress rule is missing, or the ingress rule is left over.",
        "allow it in an egress rule of the other end, or delete the ingress rule",
    ),
    Rule(
        "NPC011",
        "warning",
        "egress is open to all addresses",
        "An egress rule has no `to`, or a block of all addresses: a program that is taken over may send anything "
        "anywhere. Except the private ranges, name the destinations, or ignore the rule with a reason.",
        "name the destinations under `to`, or except the private ranges",
    ),
    Rule(
        "NPC012",
        "error",
        "the API server would not take the policy",
        "The manifest has a field that the API does not know, or a value that it refuses, such as an endPort below "
        "its port. A misspelt field that is dropped silently often denies everything.",
        "correct the field as NetworkPolicy has it",
    ),
    Rule(
        "NPC013",
        "warning",
        "a manifest does not fit its schema",
        "The API server of this Kubernetes version would refuse the manifest, or warn of it and drop a field: what "
        "is said here of the workload may not be what runs.",
        "correct the field as its schema has it",
    ),
    Rule(
        "NPC014",
        "warning",
        "a rule names the port of a Service, not that of the pods",
        "A Service translates its port (and nodePort) to the pods' targetPort before policies see the connection. No "
        "destination of the rule declares the number that it names, so that it opens nothing and clients are cut off: "
        "name the targetPort, or the container port by its name.",
        "name the targetPort, or the container port by its name",
    ),
    Rule(
        "NPC015",
        "error",
        "the API server cannot call a webhook or an aggregated API",
        "Admission and conversion webhooks and aggregated APIs are called by the API server, which is no pod: only a rule "
        "without `from`, or with an ipBlock that holds its address, lets it in (where it comes through konnectivity "
        "agents: one for those). Without, every request fails that the webhook is asked about.",
        "let the API server in by an ipBlock with its address",
    ),
    Rule(
        "NPC016",
        "warning",
        "a client of the API server cannot reach it",
        "A RoleBinding or ClusterRoleBinding gives the workload's ServiceAccount rights at the API server, and its "
        "egress rules open no address on a port of the API server. It is no pod: only an ipBlock with its address "
        "(that behind the Service `kubernetes`), or a rule without `to`, opens it.",
        "open the API server's address by an ipBlock",
    ),
    Rule(
        "NPC017",
        "error",
        "rules of a direction that policyTypes leaves out",
        "policyTypes says in which directions the policy isolates its pods; rules of the other direction are stored and "
        "do nothing, and an empty list of them denies nothing. Without policyTypes, Ingress always counts, and Egress "
        "only where there are egress rules.",
        "name the direction in policyTypes, or delete its rules",
    ),
    Rule(
        "NPC018",
        "warning",
        "the policy, or a peer of it, can never matter",
        "Its selector contradicts itself, so that nothing that may ever come can match it; or it selects pods on the "
        "host's network alone, which no CNI holds to policies.",
        "correct the selector, or delete what it belongs to",
    ),
    Rule(
        "NPC019",
        "warning",
        "a namespace is named by a label that it does not have",
        "Kubernetes puts the label kubernetes.io/metadata.name on every namespace, and no other with its name: a "
        "selector by `name` matches (or excludes) nothing unless somebody keeps that label on the namespace.",
        "select it by kubernetes.io/metadata.name",
    ),
    Rule(
        "NPC020",
        "error",
        "the excepts of an ipBlock leave nothing",
        "Together the blocks under `except` cover all of the `cidr`, so that the peer means no address at all.",
        "except less, or delete the peer",
    ),
    Rule(
        "NPC021",
        "warning",
        "an ipBlock covers addresses of pods or Services",
        "Blocks are for addresses outside of the cluster. Whether one matches pods is left to the CNI, pods change their "
        "addresses, and a Service's address is translated before policies see the connection: name pods by their labels, "
        "and except the cluster's own ranges.",
        "name pods by their labels, and except the cluster's own ranges",
    ),
    Rule(
        "NPC022",
        "warning",
        "a selector asks for a label of single pods",
        "Controllers, the scheduler and releases put labels such as pod-template-hash, controller-uid, job-name or a "
        "version on pods: the next rollout, run or replica has another value, and is cut off (or not isolated).",
        "select by labels that every pod of the workload keeps",
    ),
    Rule(
        "NPC023",
        "error",
        "an apiVersion is not served any more",
        "The API server refuses the object, and what it should have done is not done: a NetworkPolicy of "
        "extensions/v1beta1 isolates nothing since Kubernetes 1.16. `--kubernetes-version` says which one is meant.",
        "write an apiVersion that is served",
    ),
    Rule(
        "NPC024",
        "error",
        "egress is denied to NodeLocal DNSCache",
        "The cache answers DNS on each node's own network, at a link-local address (169.254.20.10 by default) or at that "
        "of the cluster's DNS. No podSelector means it on any known CNI: an ipBlock with its addresses opens it.",
        "open the cache's addresses by an ipBlock",
    ),
    Rule(
        "NPC025",
        "error",
        "the kubelet's probes are cut off",
        "Every CNI lets a pod's own node connect to it, but the probes do not always come from there: in Istio's ambient "
        "mode their source is 169.254.7.127, and Cilium with allow-localhost: policy holds the node to policies as well. "
        "Pods are restarted, or never get ready.",
        "let the probes' source in by an ipBlock",
    ),
    Rule(
        "NPC026",
        "error",
        "a manifest cannot be read",
        "It is no YAML, no Kubernetes object, or not of the shape that the API has: nothing is known of what it says. The "
        "others are looked through all the same, and the exit code is 2 where a file or object could not be read at all.",
        "correct the manifest",
    ),
    Rule(
        "NPC027",
        "warning",
        "the policy stands twice",
        "Another policy of its kind, namespace and name stands here as well. A cluster holds one of them: the one that is "
        "applied last, and the other's rules are in no force. A source refuses both.",
        "keep one of the two",
    ),
    Rule(
        "NPC030",
        "error",
        "the proxies of a service mesh are cut off",
        "The namespace or the pod asks for a proxy of Istio, Linkerd, Kuma or Consul, and the policies keep it from its "
        "control plane (Istio: istiod on 15012): the pod does not become ready, or loses its certificates later. An info "
        "where nobody may read the proxies' metrics alone.",
        "open the ports of the control plane",
    ),
)

"""Rules about policies of other kinds than NetworkPolicy."""

from orchestrator.policy.lint.rules.rule import Rule

RULES = (
    Rule(
        "NPC031",
        "warning",
        "a Calico selector matches nothing",
        "It is valid, and no pod and no set of networks that is known here is what it asks for: often a misspelt label or "
        "value. The policy, or the rule, does nothing.",
        "correct the label or its value, or delete what it belongs to",
    ),
    Rule(
        "NPC032",
        "warning",
        "Calico policies of one order disagree",
        "Two policies of one tier and one `order` (or without any) select the same workload, and for some connection one "
        "allows what the other does not. Their names alone decide, and Calico 3.32 compares them in another way than before.",
        "give one of them a lower order",
    ),
    Rule(
        "NPC033",
        "error",
        "a Calico policy names a tier that does not exist",
        "Calico refuses a policy of a tier that is not there, and asks none whose tier went away.",
        "correct `spec.tier`, or add the Tier",
    ),
    Rule(
        "NPC034",
        "error",
        "a Calico tier ends in deny without DNS",
        "A tier that selects a pod for egress denies what none of its policies allows or passes on; no later tier is asked. "
        "This one does so with DNS: names do not resolve, and nothing that the pod calls by name works.",
        "allow or pass port 53 over UDP and TCP in this tier, or give it defaultAction: Pass",
    ),
    Rule(
        "NPC035",
        "error",
        "toServices means no Service, and opens its ports to everybody",
        "Cilium takes a rule with ports whose toServices means no Service that is there for one without any destination: "
        "every one is meant. Among the manifests are Services, and none is the one that the rule names.",
        "correct the name, the namespace or the labels of the Service",
    ),
    Rule(
        "NPC036",
        "warning",
        "enableDefaultDeny does nothing",
        "Cilium denies the rest of a direction for a policy with at least one rule in it. `enableDefaultDeny` can take that "
        "away; it does not bring it about: `true` without a rule denies nothing, and neither does an empty list of rules.",
        "add an empty rule ({}) in that direction, which denies, or delete the field",
    ),
    Rule(
        "NPC037",
        "warning",
        "a selector asks for a label that Cilium leaves out",
        "Cilium knows pods by a part of their labels: those of kubernetes.io/ and topology.kubernetes.io/, names and numbers "
        "of single pods, hashes and the like are left out. Selectors of its own policies and of NetworkPolicies on them match "
        "no pod.",
        "select by labels that Cilium keeps, such as app or app.kubernetes.io/name",
    ),
    Rule(
        "NPC038",
        "info",
        "a baseline is never asked",
        "BaselineAdminNetworkPolicies, and ClusterNetworkPolicies of the tier Baseline, are asked about pods that no "
        "NetworkPolicy selects. NetworkPolicies select every pod of this one's subject, in each direction of its rules: it "
        "only waits for pods that are still to come.",
        "delete it, or ignore the rule with a reason: it stands for later pods",
    ),
    Rule(
        "NPC039",
        "warning",
        "cluster-wide policies of one priority disagree",
        "Two of them have the same priority and mean the same connection, which one allows and the other does not. The API "
        "does not say which counts first.",
        "give each of them a priority of its own",
    ),
    Rule(
        "NPC040",
        "warning",
        "the CNI does not enforce the policy",
        "The CNI that --cni names does not enforce policies of its kind, or not at this priority, or has them switched off. Without "
        "--cni, policies of Cilium stand beside one that Cilium does not know: AdminNetworkPolicy, BaselineAdminNetworkPolicy, or "
        "one of Calico. It counts for nothing in any answer.",
        "write it as a kind that the CNI enforces (docs/clusters.md), or keep it apart",
    ),
)

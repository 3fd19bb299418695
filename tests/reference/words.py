"""What each phase, condition, reason, label and annotation means."""

from __future__ import annotations

ROLLOUT_PHASES = {
    "Pending": "It was created and is being planned.",
    "Progressing": "A wave is worked on, or only time has to pass.",
    "Paused": "It waits; `pausedFor` says for what.",
    "RollingBack": "Every namespace that it wrote to is being restored.",
    "Succeeded": "Every wave was promoted.",
    "RolledBack": "Every namespace is restored, which was confirmed by reading it back.",
    "Failed": "Not every namespace could be restored: a person has to act.",
    "Superseded": "The cluster changed while it was being planned: nothing was written, and a new plan takes its place.",
}
PAUSES = {
    "approval": "People must approve the wave.",
    "window": "Its window is closed, or a freeze is active. It goes on by itself.",
    "limit": "The limits leave no capacity for it. It goes on by itself.",
    "workload": "The canary deployment that it follows has not promoted its new version. It goes on by itself.",
    "inconclusive": "The evidence is missing, contradictory or not sufficient.",
    "drift": "Somebody else changed what the wave would write.",
    "user": "A person paused it.",
    "error": "netpol-canary had an internal error; its log has the traceback.",
}
NAMESPACE_PHASES = {
    "Pending": "Nothing has been written yet.",
    "Applied": "Every change was written.",
    "Restored": "Everything is as it was before, which was confirmed by reading it back.",
    "Deleted": "The namespace was deleted meanwhile.",
}
MEASUREMENT_PHASES = {
    "Pending": "Nothing has been measured yet.",
    "Running": "More checks follow.",
    "Successful": "Within its limits.",
    "Failed": "Beyond its limits: the rollout is rolled back.",
    "Error": "It could not be measured.",
    "Inconclusive": "There is too little evidence.",
}
_PHASE = {"the rollout's phase": ""}
CONDITIONS: dict[str, tuple[str, str, dict[str, str]]] = {
    "Succeeded": ("PolicyRollout", "Every wave was promoted.", _PHASE),
    "Reconciling": ("PolicyRollout", "It is in progress, and nobody has to act.", _PHASE),
    "Stalled": ("PolicyRollout", "A person has to act.", {"what it is paused for, else its phase": ""}),
    "RollbackVerified": (
        "PolicyRollout",
        "After a rollback, probes answer as they did before the change.",
        {
            "ProbesMatch": "They do.",
            "NoProbes": "No probe had an answer before the change.",
            "ProbesDiffer": "Some answer differently (False).",
            "ProbesDidNotRun": "They could not be run again (Unknown).",
        },
    ),
    "WritesSettled": (
        "PolicyRollout",
        "No write of a pod or of a former worker is outstanding.",
        {
            "ReadBack": "Every namespace was read back twice.",
            "WritesPending": "A write has no answer and may still take effect; it is waited for (False).",
        },
    ),
    "BreakGlassUsed": (
        "PolicyRollout",
        "A person opened a gate alone, by break-glass.",
        {"BreakGlass": "Who did it, and why."},
    ),
    "EmergencyDeclared": (
        "PolicyRollout",
        "A person declared an emergency, which skips what the source allows.",
        {"Emergency": "Who did it, what is skipped until when, and why."},
    ),
    "ApprovalsProven": (
        "PolicyRollout",
        "The API server proves who approves.",
        {
            "AdmissionPolicyEnforced": "It refuses approvals in another person's name.",
            "ApprovalsUnproven": "It does not, so no approval counts (False).",
        },
    ),
    "NotificationsDelivered": (
        "PolicyRollout",
        "Only ever False: a notification was not delivered.",
        {"DeliveryFailed": "A receiver did not accept a notification for a day."},
    ),
    "Ready": (
        "PolicySource",
        "Its repository was polled and read.",
        {
            "Polled": "With the outcome.",
            "Waiting": "No rollout can begin at the moment.",
            "Unavailable": "The repository or the API server did not answer (False).",
            "BadInput": "The repository's content or the source itself is invalid (False).",
            "InternalError": "netpol-canary had an internal error; its log has the traceback (False).",
        },
    ),
    "Drifted": (
        "PolicySource",
        "The cluster differs from the current revision.",
        {
            "InSync": "It does not (False).",
            "Drifted": "It does, and is only reported.",
            "Repairing": "It does, and a repair runs or will run.",
            "RepairRolledBack": "Its repair was rolled back.",
            "RepairContested": "Repairs do not last: somebody reverts them.",
            "ComparisonFailed": "The cluster cannot be compared with it (Unknown).",
        },
    ),
    "Orphaned": (
        "PolicySource",
        "Namespaces that it no longer selects still have its policies. The condition appears with the first such namespace.",
        {
            "Orphaned": "Which, and how many policies.",
            "Removing": "The same; a rollout that needs approvals removes them.",
            "NoOrphans": "There are none any more (False).",
        },
    ),
    "Contested": (
        "PolicySource",
        "Other tools manage objects of this source as well.",
        {"ManagedByOthers": "Who, and which.", "NoOtherManagers": "Nobody does (False)."},
    ),
}
REASONS_HEAD = """Every transition of a PolicyRollout has a reason, and the Event that is written with it has the same. `spec.notifications`
of a PolicySource takes reasons as well as groups. Groups that follow from the phase (`paused`, `rollback`, `rolledBack`,
`failed`, `succeeded`, `superseded`) and `all` are not listed.
"""
REASONS = {
    "Planned": "The plan is frozen: what changes, where, in which waves.",
    "PlanChanged": "The cluster changed before the plan was frozen: the rollout ends, and a new one is planned.",
    "WaveStarted": "A wave started.",
    "Promoted": "A wave was promoted.",
    "Succeeded": "The last wave was promoted.",
    "ApprovalRequired": "A gate waits for approvals.",
    "Approved": "The gate opened.",
    "Rejected": "A person rejected the wave: the rollout is rolled back.",
    "BreakGlass": "A person opened the gate alone, by break-glass.",
    "Emergency": "A person declared an emergency: what the source allows is skipped, never the analysis.",
    "ApprovalsProven": "Approvals are proven by the API server again; older ones do not count.",
    "ApprovalsUnproven": "Approvals could be made in another person's name: none counts.",
    "WindowClosed": "Its window is closed, or a freeze is active.",
    "Queued": "It waits for capacity behind other rollouts.",
    "AwaitingWorkload": "It waits for the canary deployment that it follows to promote its new version.",
    "WorkloadAborted": "The canary deployment that it follows gave up its new version: the rollout is rolled back.",
    "PausedByUser": "A person paused it.",
    "Resumed": "It was resumed.",
    "Ignored": "A person's request changes nothing now.",
    "RequestIgnored": "The request annotation is malformed or too long; it is ignored.",
    "ApprovalIgnored": "An approval of the rollout cannot be read and does not count.",
    "Unreadable": "A source cannot be read, since it was written for another version: it is left alone.",
    "Inconclusive": "A wave could not be judged.",
    "InternalError": "netpol-canary had an internal error three times in a row: paused for `error`.",
    "Undecided": "Nobody decided on an inconclusive wave within `analysis.inconclusiveSeconds`: the rollout is rolled back.",
    "Drift": "Somebody else changed what the wave would write.",
    "Regression": "Analysis found a regression: the rollout is rolled back.",
    "ObserverLost": "The API server was out of reach after a wave was applied: the rollout is rolled back.",
    "ProgressDeadlineExceeded": "A wave made no progress for `progressDeadlineSeconds`: the rollout is rolled back.",
    "StepDeadlineExceeded": "A step failed for `deadlineSeconds`: the rollout is rolled back.",
    "EngineLost": "No engine worked on an open wave any more: the guard rolls the rollout back.",
    "TakenOver": "Another worker took the rollout over.",
    "Requested": "A person asked for a rollback of a finished rollout.",
    "Aborted": "A person aborted it: the rollout is rolled back.",
    "Superseded": "A newer revision takes its place: the rollout is rolled back.",
    "Deleted": "The PolicyRollout was deleted while it ran: it is rolled back.",
    "RolledBack": "Every namespace is restored.",
    "Failed": "Not every namespace could be restored.",
    "WorkflowSubmitted": "An Argo Workflow works on the wave.",
    "WorkflowFailed": "The Workflow failed by itself: it is tried again, or the rollout is rolled back.",
    "WorkflowLost": "The Workflow was deleted: it is tried again, or the rollout is rolled back.",
    "WorkflowStopped": "A person stopped the Workflow in Argo: the rollout is rolled back.",
    "EngineSilent": "No engine works on a rollout that is between two waves.",
    "StrayBridge": "A temporary policy that no open rollout uses was deleted.",
    "DeliveryDelayed": "A receiver did not accept a notification; it is tried again.",
    "DeliveryFailed": "A receiver did not accept a notification for a day; it is dropped.",
    "Drifted": "On a PolicySource: the cluster differs from the current revision.",
    "Repairing": "On a PolicySource: a repair of drift runs or will run.",
    "RepairRolledBack": "On a PolicySource: a repair was rolled back.",
    "RepairContested": "On a PolicySource: repairs do not last, since somebody reverts them.",
    "ComparisonFailed": "On a PolicySource: the cluster cannot be compared with the current revision.",
    "Orphaned": "On a PolicySource: namespaces that it no longer selects still have its policies.",
    "Removing": "On a PolicySource: a rollout that needs approvals removes these policies.",
}
EVENTS_ALONE = frozenset(
    {
        "EngineSilent",
        "StrayBridge",
        "DeliveryDelayed",
        "DeliveryFailed",
        "Drifted",
        "Repairing",
        "RepairRolledBack",
        "RepairContested",
        "ComparisonFailed",
        "Orphaned",
        "Removing",
    }
)
MARKS = {
    "source": ("label", "The source that an object belongs to: only such objects are changed and deleted."),
    "rollout": ("label", "The rollout that a resource belongs to."),
    "wave": ("label", "The wave that an Argo Workflow works on."),
    "bridge": (
        "label",
        "A temporary policy that keeps connections open while a namespace is written; it is removed by itself.",
    ),
    "fenced": (
        "annotation",
        "A policy between two writes that leave it as it is, so that nothing asked for before can change it.",
    ),
    "canary": ("label", "A pod that comes first, for the time of its wave: the value stands for the source."),
    "narrowed-from": (
        "annotation",
        "The policy of Git whose rules this one has, for some of its pods, while a change has reached some of them.",
    ),
    "probe": ("label", "A probe's Job or pod: `test` tries connections, `hold` keeps some open."),
    "probe-owner": ("label", "What a probe's Job was made for."),
    "probe-key": ("label", "Which set of kept connections it is."),
    "probes": ("annotation", "What a probe's pod tries."),
    "listener": (
        "label",
        "Yours: `true` on a pod that runs the probe program's own listener, which proves who answers.",
    ),
    "never-ready": (
        "readiness gate",
        "Nothing ever sets it, so that no Service sends traffic to a probe's pod.",
    ),
    "nobody": ("label", "On no pod at all: a policy that must select no pod selects it."),
    "request": (
        "annotation",
        "What a person asks of a rollout: `verb/id/user`. The program's commands write it.",
    ),
    "requested-at": ("annotation", "Yours: a new value has the source's repository polled at once."),
    "lint-ignore": (
        "annotation",
        "Yours: rules of `lint` to be silent about, and why: `NPC003: the public entrance`.",
    ),
    "unrestored": (
        "finalizer",
        "Something is applied and not restored: `before` must not be lost by a deletion.",
    ),
    "unsent": ("finalizer", "A notification is still to be sent."),
}

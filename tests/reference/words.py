"""What each phase, condition, reason, label and annotation means."""

from __future__ import annotations

ROLLOUT_PHASES = {
    "Pending": "It was created and is being planned.",
    "Progressing": "It works, or waits for nothing but time.",
    "Paused": "It waits; `pausedFor` says for what.",
    "RollingBack": "Everything that it wrote is being put back.",
    "Succeeded": "Every wave is good.",
    "RolledBack": "Everything is as it was before, read back.",
    "Failed": "What is in the cluster differs from what it should be restored to: a person is needed.",
    "Superseded": "What stood in the cluster changed while it was being planned: it wrote nothing, and a new plan takes its place.",
}
PAUSES = {
    "approval": "People must approve the wave.",
    "window": "A window is closed, or a freeze holds. It goes on by itself.",
    "limit": "Too much else is on its way. It goes on by itself.",
    "inconclusive": "The evidence is missing, wrong or unclear.",
    "drift": "Somebody else changed what the wave would write.",
    "operator": "A person paused it.",
    "error": "netpol-canary met a fault of its own; its log has the traceback.",
}
NAMESPACE_PHASES = {
    "Pending": "Nothing was written yet.",
    "Applied": "Everything was written.",
    "Restored": "Everything was put back, and read back.",
    "Gone": "The namespace was deleted meanwhile.",
}
MEASUREMENT_PHASES = {
    "Pending": "Nothing was looked at yet.",
    "Running": "More looks are to come.",
    "Successful": "Within its limits.",
    "Failed": "Beyond its limits: everything is put back.",
    "Error": "It could not be asked.",
    "Inconclusive": "There is too little to tell.",
}
_PHASE = {"the rollout's phase": ""}
CONDITIONS: dict[str, tuple[str, str, dict[str, str]]] = {
    "Succeeded": ("PolicyRollout", "Every wave is good.", _PHASE),
    "Reconciling": ("PolicyRollout", "It is on its way, and nobody is needed.", _PHASE),
    "Stalled": ("PolicyRollout", "A person is needed.", {"what it is paused for, else its phase": ""}),
    "Verified": (
        "PolicyRollout",
        "After a rollback probes answer as before the change.",
        {
            "ProbesAgree": "They do.",
            "NoProbes": "None was answered before the change.",
            "ProbesDiffer": "Some answer otherwise (False).",
            "ProbesDidNotRun": "They could not be run again (Unknown).",
        },
    ),
    "WritersGone": (
        "PolicyRollout",
        "Nothing that a pod or a former worker asked for can be written any more.",
        {
            "ReadBack": "Every namespace was read back twice.",
            "WritesUnderWay": "A write was not answered and may land yet; it is waited for.",
        },
    ),
    "GlassBroken": (
        "PolicyRollout",
        "A person opened a gate alone.",
        {"BreakGlass": "Who did it, and why."},
    ),
    "ApprovalsVouched": (
        "PolicyRollout",
        "The API server vouches for who approves.",
        {
            "PolicyStands": "It refuses approvals in another's name.",
            "Unvouched": "It does not, so no approval counts (False).",
        },
    ),
    "Delivered": (
        "PolicyRollout",
        "Only ever False: somebody was not told.",
        {"GaveUp": "A message was not taken for a day."},
    ),
    "Ready": (
        "PolicySource",
        "Its repository was looked at.",
        {
            "Polled": "What came of it.",
            "Waiting": "Nothing can begin just now.",
            "Unavailable": "The repository or the API server gave no answer (False).",
            "BadInput": "What was found there, or the source itself, is wrong (False).",
            "InternalError": "netpol-canary met a fault of its own; its log has the traceback (False).",
        },
    ),
    "Drifted": (
        "PolicySource",
        "The cluster differs from the last verified revision.",
        {
            "AsVerified": "It does not (False).",
            "Drifted": "It does, and is left alone.",
            "Repairing": "It does, and is being repaired, or will be.",
            "RepairRolledBack": "Its repair was put back.",
            "Fought": "Somebody changes it again and again.",
            "CannotTell": "It cannot be compared (Unknown).",
        },
    ),
    "Orphaned": (
        "PolicySource",
        "Namespaces that it does not select any more hold its policies. Never there where there was no such namespace.",
        {
            "Orphaned": "Which, and how many policies.",
            "Removing": "The same, and a rollout that people approve removes them.",
            "NoOrphans": "There are none any more (False).",
        },
    ),
    "Contested": (
        "PolicySource",
        "Others manage objects that it asks for.",
        {"ManagedByOthers": "Who, and which.", "NobodyElse": "Nobody does (False)."},
    ),
}
REASONS_HEAD = """A transition of a PolicyRollout has one, and so has the Event that is written with it. `spec.notifications` of a
PolicySource takes them, too, beside the groups; groups that follow from the phase (`paused`, `rollback`, `rolledBack`,
`failed`, `succeeded`, `superseded`) and `all` are not listed.
"""
REASONS = {
    "Planned": "What changes where, in which waves, is frozen.",
    "PlanChanged": "What stood in the cluster changed before the plan was frozen: it ends, and is planned anew.",
    "Opened": "A wave begins.",
    "Promoted": "A wave is good.",
    "Succeeded": "The last wave is good.",
    "Approval": "A gate waits for people.",
    "Approved": "The gate is open.",
    "Rejected": "A person said no: everything is put back.",
    "BreakGlass": "A person opened the gate alone.",
    "Vouched": "The API server vouches for approvals again; older ones do not count.",
    "Unvouched": "Anybody could approve in another's name: no approval counts.",
    "Closed": "A window is closed, or a freeze holds.",
    "Queued": "It waits for room beside other rollouts.",
    "Operator": "A person paused it.",
    "Resumed": "It goes on.",
    "Ignored": "A person asked for what changes nothing now.",
    "RequestIgnored": "What stands where a person's request would is none, or is too long; it is ignored.",
    "ApprovalIgnored": "An approval of the rollout cannot be read and counts for nothing.",
    "Unreadable": "A source cannot be read, since it was written for another version: nothing is done for it.",
    "Inconclusive": "A wave could not be judged.",
    "InternalError": "netpol-canary met a fault of its own three times in a row: paused for `error`.",
    "Undecided": "Nobody decided on an inconclusive wave within `analysis.inconclusiveSeconds`: everything is rolled back.",
    "Drift": "Somebody else changed what the wave would write.",
    "Regression": "A wave is bad: everything is put back.",
    "ObserverLost": "The API server was out of reach after a wave was written: everything is put back.",
    "ProgressDeadlineExceeded": "A wave got nowhere for `progressDeadlineSeconds`: everything is put back.",
    "Deadline": "A step failed for `deadlineSeconds`: everything is put back.",
    "EngineLost": "Nobody worked on an open wave any more: the guard puts everything back.",
    "TakenOver": "Another worker goes on.",
    "Requested": "A person asked for a rollback of what had ended.",
    "Aborted": "A person asked for the end: everything is put back.",
    "Superseded": "A newer revision takes its place: everything is put back.",
    "Deleted": "The PolicyRollout was deleted while it ran: everything is put back.",
    "RolledBack": "Everything is as it was before.",
    "Failed": "Not everything could be put back.",
    "WorkflowSubmitted": "An Argo Workflow works on the wave.",
    "WorkflowFailed": "The Workflow came to nothing by itself: it is tried again, or everything is put back.",
    "WorkflowLost": "The Workflow is gone: it is tried again, or everything is put back.",
    "WorkflowStopped": "A person stopped the Workflow in Argo: everything is put back.",
    "EngineSilent": "Nobody works on a rollout between two waves.",
    "StrayBridge": "A temporary policy that belonged to no walk of the rollout was deleted.",
    "NotDelivered": "A message was not taken; it is tried again.",
    "GaveUp": "A message was not taken for a day.",
    "Drifted": "On a PolicySource: the cluster differs from the last verified revision.",
    "Repairing": "On a PolicySource: it is being repaired, or will be.",
    "RepairRolledBack": "On a PolicySource: a repair was put back.",
    "Fought": "On a PolicySource: somebody changes it again and again.",
    "CannotTell": "On a PolicySource: it cannot be compared.",
    "Orphaned": "On a PolicySource: namespaces that it does not select any more hold its policies.",
    "Removing": "On a PolicySource: a rollout that people approve removes these policies.",
}
EVENTS_ALONE = frozenset(
    {
        "EngineSilent",
        "StrayBridge",
        "NotDelivered",
        "GaveUp",
        "Drifted",
        "Repairing",
        "RepairRolledBack",
        "Fought",
        "CannotTell",
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
        "A policy that keeps connections open while a namespace is written; it goes by itself.",
    ),
    "fenced": (
        "annotation",
        "A policy between two writes that leave it as it is, so that nothing asked for before can change it.",
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
    "nobody": ("label", "Stands on nothing: what is to select no pod asks for it."),
    "request": (
        "annotation",
        "What a person asks of a rollout: `verb/id/user`. The program's commands write it.",
    ),
    "requested-at": ("annotation", "Another value has the source's repository looked at, at once."),
    "lint-ignore": (
        "annotation",
        "Yours: rules of `lint` to be silent about, and why: `NPC003: the public entrance`.",
    ),
    "unrestored": ("finalizer", "Something is applied and not restored: deleting must not lose `before`."),
    "unsent": ("finalizer", "Something is still to be told."),
}

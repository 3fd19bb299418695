"""How a rollout of two waves ends for whoever looks at it, with either engine."""

APPLIED, NOTHING = {"Applied"}, {"Restored", "Pending"}

# What happens: the phase at the end, the reasons on the way, what becomes of the namespaces, whether the revision is blocked.
OUTCOMES = {
    "promoted": (
        "Succeeded",
        ["Planned", "WaveStarted", "Promoted", "WaveStarted", "Succeeded"],
        APPLIED,
        False,
    ),
    "rolled back": ("RolledBack", ["Planned", "WaveStarted", "Regression", "RolledBack"], NOTHING, True),
    "approved": (
        "Succeeded",
        ["Planned", "WaveStarted", "Promoted", "ApprovalRequired", "Approved", "WaveStarted", "Succeeded"],
        APPLIED,
        False,
    ),
    "rejected": (
        "RolledBack",
        ["Planned", "WaveStarted", "Promoted", "ApprovalRequired", "Rejected", "RolledBack"],
        NOTHING,
        True,
    ),
    "aborted": ("RolledBack", ["Planned", "WaveStarted", "Aborted", "RolledBack"], NOTHING, True),
}

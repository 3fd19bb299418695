"""How a rollout of two waves ends for whoever looks at it, with either engine."""

APPLIED, NOTHING = {"Applied"}, {"Restored", "Pending"}

# What happens: the phase at the end, the reasons on the way, what becomes of the namespaces, whether the revision is held.
OUTCOMES = {
    "promoted": ("Succeeded", ["Planned", "Opened", "Promoted", "Opened", "Succeeded"], APPLIED, False),
    "rolled back": ("RolledBack", ["Planned", "Opened", "Regression", "RolledBack"], NOTHING, True),
    "approved": (
        "Succeeded",
        ["Planned", "Opened", "Promoted", "Approval", "Approved", "Opened", "Succeeded"],
        APPLIED,
        False,
    ),
    "rejected": (
        "RolledBack",
        ["Planned", "Opened", "Promoted", "Approval", "Rejected", "RolledBack"],
        NOTHING,
        True,
    ),
    "aborted": ("RolledBack", ["Planned", "Opened", "Aborted", "RolledBack"], NOTHING, True),
}

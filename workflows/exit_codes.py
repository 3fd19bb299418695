"""What the exit codes of a workflow's pods say to Argo: done, of no use, or worth another try."""

DONE = 0
BAD = 1  # the wave is bad, or the rollout is on its way back
STOPPED = 3  # the rollout stands still, or another wave is open: nothing was done
AGAIN = 75  # something outside gave no answer (EX_TEMPFAIL of sysexits.h)
KILLED = (137, 143, -1)  # by SIGKILL, by SIGTERM, or nobody knows how

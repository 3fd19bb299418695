"""People approve and reject waves in their own name, and see how the gates stand."""

import pytest
import yaml
from stage import Stage

from orchestrator.rollout.resources import model as m

SECURITY = m.Gate(wave=1, name="security", approvals=2, groups=["security"])


def paused(cli, *gates, wave=1):
    """A rollout of ann's change that waits before its second wave, and a function that gives each user a command line."""
    stage = Stage(gates=list(gates) or [m.Gate(wave=wave)])
    stage.change(identities=[{"email": "ann@example.com", "user": "ann"}])
    stage.cluster.writers |= {"ann", "joe"}  # who carry out with --here
    assert cli(stage)("run", "--source", "shop").code == 3

    def by(user, *groups):
        return cli(stage, cluster=stage.cluster.acting_as(user, *groups))

    return stage, by


def test_an_approval_says_what_is_still_missing(cli):
    _, by = paused(cli, SECURITY)
    first = by("mia", "security", "staff")("approve", "shop", "-m", "checked")
    assert first.code == 0 and "wave 1 approved by mia" in first.out
    assert "gate security: 1 of 2 approvals from security (mia); 1 missing" in first.out
    again = by("mia", "security")("approve", "shop", "-m", "once more")
    assert again.code == 0 and "has the approval of mia already" in again.out
    done = by("joe", "security")("approve", "shop", "-m", "fine", "--here")
    assert done.code == 0 and "Approved" in done.out and done.out.rstrip().endswith("Succeeded")


def test_an_approval_that_one_gate_lost_is_given_again_though_another_still_counts_it(cli):
    quick = m.Gate(wave=1, name="quick", approvals=2, expires_after_seconds=60)
    stage, by = paused(cli, quick, m.Gate(wave=1, name="slow", approvals=2))
    mia = by("mia")
    mia("approve", "shop", "-m", "checked")
    assert "has the approval of mia already" in mia("approve", "shop", "-m", "again").out
    stage.clock.sleep(90)
    again = mia("approve", "shop", "-m", "checked again").out
    assert "wave 1 approved by mia" in again and "gate quick: 1 of 2 approvals (mia)" in again


@pytest.mark.parametrize(
    ("user", "said"),
    [(("ann", "security"), "ann wrote the change"), (("joe", "staff"), "joe is not in security")],
)
def test_what_would_not_count_is_refused_at_once(cli, user, said):
    stage, by = paused(cli, SECURITY)
    done = by(*user)("approve", "shop", "-m", "please")
    assert done.code == 1 and said in done.err and len(done.err.splitlines()) == 1
    assert "No approvals" in cli(stage)("get", "approvals").out


def test_a_rejection_puts_everything_back_even_by_its_author(cli):
    stage, by = paused(cli, SECURITY)
    done = by("ann")("reject", "shop", "-m", "my mistake", "--here")
    assert done.code == 1 and "rejected by ann: my mistake" in done.out
    assert all("allow" not in names for names in stage.names().values())


def test_breaking_the_glass_takes_the_right_and_a_reason(cli):
    _, by = paused(cli, SECURITY)
    done = by("mia")("approve", "shop", "-m", "all is down", "--break-glass")
    assert done.code == 1 and "takes the right to the verb breakglass" in done.err
    netpol = by("ann", "on-call")
    assert netpol("approve", "shop", "-m", " ", "--break-glass").code == 2
    done = netpol("approve", "shop", "-m", "all is down", "--break-glass")
    assert "approved by ann with a broken glass" in done.out and "ann BROKE THE GLASS" in done.out
    assert by("joe")("run", "--source", "shop").code == 0
    told = by("mia")("describe", "shop").out
    assert "BreakGlass" in told and "BreakGlassUsed=True" in told


def test_a_later_wave_can_be_approved_ahead(cli):
    _, by = paused(cli, m.Gate(wave=0), SECURITY)
    netpol = by("mia", "security")
    assert netpol("approve", "shop", "--wave", "1", "-m", "ahead").code == 0
    for wave, code, said in (
        ("2", 2, "its waves are 0 to 1"),
        ("-1", 2, "its waves are 0 to 1"),
    ):
        done = netpol("approve", "shop", f"--wave={wave}", "-m", "x")
        assert done.code == code and said in done.err
    assert by("joe")("approve", "shop", "-m", "now", "--here").code == 3
    text = "wave 0 of shop-cccccccccc is open already"
    assert text in netpol("reject", "shop", "--wave", "0", "-m", "x").err


def test_what_waits_for_no_approval_is_refused(cli):
    stage = Stage(gates=[m.Gate(wave=9)])
    netpol = cli(stage)
    netpol("run", "--source", "shop")
    done = netpol("approve", "shop", "-m", "x")
    assert done.code == 1 and "is Succeeded and waits for no approval" in done.err
    assert netpol("approve", "shop").code == 2 and netpol("approve", "shop", "-m", "x" * 2000).code == 2


def test_describe_shows_the_gates_and_what_was_seen_meanwhile(cli):
    stage, by = paused(cli, SECURITY)
    by("mia", "security")("approve", "shop", "-m", "checked")
    stage.clock.sleep(90)
    assert by("joe")("run", "--source", "shop").code == 3
    told = by("joe")("describe", "shop").out
    for said in (
        "gate security: 1 of 2 approvals from security (mia); 1 missing",
        "mia (security) at 2026-01-05",
        "wrote the change, and so may not: ann",
        "1 check since it was promoted; the last: Successful",
    ):
        assert said in told, told


def test_without_the_policy_run_stays_paused_and_says_so(cli):
    stage, by = paused(cli)
    stage.cluster.vouches = False
    done = by("joe")("approve", "shop", "-m", "fine", "--here")
    assert done.code == 3 and "approvals cannot be trusted" in done.out
    assert by("joe")("run", "--source", "shop").code == 3
    conditions = yaml.safe_load(cli(stage)("get", "rollouts", "-o", "yaml").out)["items"][0]["status"][
        "conditions"
    ]
    assert {c["type"]: c["status"] for c in conditions}["ApprovalsProven"] == "False"

"""What people mistype in policies is said with the line, the place in it, and one fix."""

CASES = "policies"


def test_a_mistake_in_a_policy_is_told_whole(made, mistake):
    done = made(mistake)
    assert done.said == mistake.said
    assert done.code == 2

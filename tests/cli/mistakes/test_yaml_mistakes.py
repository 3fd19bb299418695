"""What people mistype in YAML is said with the line, the place in it, and one fix."""

CASES = "yaml"


def test_a_mistake_in_yaml_is_told_whole(made, mistake):
    done = made(mistake)
    assert done.said == mistake.said
    assert done.code == 2

"""What people mistype in a source is said with the line, the place in it, and one fix."""

CASES = "sources"


def test_a_mistake_in_a_source_is_told_whole(made, mistake):
    done = made(mistake)
    assert done.said == mistake.said
    assert done.code == 2

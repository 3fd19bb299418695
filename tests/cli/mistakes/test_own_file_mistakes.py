"""What people mistype in settings, in lint's file and in what commands read beside policies is said with the line and one fix."""

CASES = "own_files"


def test_a_mistake_in_a_file_of_ours_is_told_whole(made, mistake):
    done = made(mistake)
    assert done.said == mistake.said
    assert done.code == 2

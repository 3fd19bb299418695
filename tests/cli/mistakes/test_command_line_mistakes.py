"""A command, a flag, a file, a kubeconfig, a context or a name that is wrong is called what it is, with one fix."""

CASES = "command_lines"


def test_a_mistake_of_a_command_line_is_told_whole(made, mistake):
    done = made(mistake)
    assert done.said == mistake.said
    assert done.code == 2

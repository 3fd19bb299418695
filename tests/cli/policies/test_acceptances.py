"""An acceptance by name lowers that one finding, until its day, by somebody else where the source asks for it."""

import pytest
from git_folder import commit
from shop_manifests import POLICIES

WORLD = POLICIES.replace(
    "{podSelector: {matchLabels: {app: web}}}", "{podSelector: {}}, {ipBlock: {cidr: 0.0.0.0/0}}"
)
ONE = "accepted:\n- {finding: internet, to: shop/db, reason: a public mirror, until: 2999-12-31}\n"
SOURCE = (
    "apiVersion: netpol-canary.dev/v1alpha1\nkind: PolicySource\nmetadata: {name: s}\nspec: {git: {url: x}, "
    "namespaces: {names: [shop]}, strategy: {risk: {acceptedByOthers: true}}}\n"
)


@pytest.fixture
def opened(repo, tmp_path):
    """A repository whose branch opens the database; `opened(text)` is the answer with these acceptances."""
    (tmp_path / "repo/policies/tests.yaml").unlink()
    (tmp_path / "source.yaml").write_text(SOURCE)
    repo.commit()
    repo.git("checkout", "-q", "-b", "topic")
    repo.change(WORLD)
    repo.commit()
    file = tmp_path / "repo/policies/.netpol-canary.yaml"

    def ask(text, *args, author=""):
        file.write_text(text)
        if author:
            commit(tmp_path / "repo", "accept", name=author)
        return repo.run("check", repo.path, "--base", "main", *args)

    ask.source = ("--source", str(tmp_path / "source.yaml"))
    ask.file = file
    return ask


def test_what_is_accepted_is_low_and_shown(opened):
    assert opened("lint: {}\n").code == 1
    done = opened(ONE)
    assert done.code == 0 and "✅ fine, risk low: 2 accepted by name" in done.out
    assert "until 2999-12-31: a public mirror" in done.out


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("to: shop/db", "to: shop/web"),  # another workload
        ("to: shop/db", "to: shop/db, ports: [5433]"),  # another port
        ("to: shop/db", "to: shop/db, from: 10.0.0.0/8"),  # a part of the addresses
        ("internet", "isolated"),  # another kind
    ],
)
def test_it_lowers_that_one_finding_and_no_other(opened, old, new):
    done = opened(ONE.replace(old, new))
    assert done.code == 1 and "accepted" not in done.out


def test_accepting_a_connection_does_not_accept_its_opening_to_the_internet(opened):
    text = ONE.replace("internet, to", "opened, from: internet, to")
    done = opened(text)
    assert done.code == 1 and "risk high: 1 workload newly open to the internet" in done.out


def test_past_its_day_it_does_not_count_and_that_is_said(opened):
    done = opened(ONE.replace("2999-12-31", "2020-01-31"))
    assert done.code == 1 and "does not count: it was good until 2020-01-31" in done.out


def test_where_the_source_asks_for_it_the_author_of_the_change_may_not_accept(opened):
    assert opened(ONE, *opened.source).code == 1  # not committed: nobody's
    own = opened(ONE + "# mine\n", *opened.source, author="ann")
    assert own.code == 1 and "who wrote the change wrote it, too" in own.out
    assert opened(ONE + "# mine\n").code == 0  # nobody asked for that
    other = opened(
        "accepted:\n- {finding: internet, to: shop/db, reason: agreed, until: 2999-12-31}\n",
        *opened.source,
        author="bob",
    )
    assert other.code == 0 and "accepted by bob until" in other.out
    widened = opened(
        "accepted:\n- {finding: internet, to: shop/db, reason: agreed, until: 3000-12-31}\n",
        *opened.source,
        author="ann",
    )
    assert widened.code == 1


def test_a_mailmap_of_the_author_makes_nobody_else_of_them(opened):
    (opened.file.parent.parent / ".mailmap").write_text("Bob <bob@example.com> <ann@example.com>\n")
    done = opened(ONE, *opened.source, author="ann")
    assert done.code == 1 and "bob" not in done.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ONE.replace("internet", "netznix"), "finding is a rule of lint, or one of internet"),
        (ONE.replace(", reason: a public mirror", ""), "reason: is required"),
        (ONE.replace(", until: 2999-12-31", ""), "until: is required"),
        (ONE.replace("to: shop/db, ", ""), "internet is accepted for a connection"),
        (ONE.replace("internet", "opened"), "opened is accepted for a connection: `from` must be given"),
        (ONE.replace("to: shop/db", "to: shop/db, ports: [99999]"), "99999 is not a port"),
        (ONE.replace("to: shop/db", "to: shop/db, ports: [x]"), "x is not a port"),
        (ONE.replace("internet, to: shop/db", "NPC003"), "NPC003 is accepted for a `subject`"),
        ("accepted: 7\n", "`accepted` is a list"),
        (f"x: &a {{}}\n{ONE}- *a\n", ""),
        (
            "lint: {}\n"
            + ONE.replace("reason: a", "reason: &r a").rstrip("\n").replace("public mirror", "mirror")
            + "\n- *r\n",
            "anchors are not taken",
        ),
    ],
)
def test_bad_input(opened, text, said):
    done = opened(text)
    assert done.code == 2 and said in done.err, done


def test_a_finding_of_lint_is_accepted_by_its_object(opened):
    text = ONE + "- {finding: NPC003, subject: NetworkPolicy shop/db, reason: a mirror, until: 2999-12-31}\n"
    done = opened(text)
    assert done.code == 0 and "NPC003: NetworkPolicy shop/db: accepted" in done.out

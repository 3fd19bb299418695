"""A folder never means more than it says."""

import pytest

from orchestrator.errors import BadInput
from orchestrator.rollout.layout import arrange

KINDS = [("networking.k8s.io/v1", "NetworkPolicy")]
SPACES = {"pay": {}, "payments": {}, "web": {}}
TEST = b"apiVersion: netpol-canary.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: t}\nspec: {}\n"


def policy(name="deny", namespace=""):
    inside = f"name: {name}" + (f", namespace: {namespace}" if namespace else "")
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
    return f"{head}metadata: {{{inside}}}\nspec: {{podSelector: {{}}}}\n".encode()


def placed(files, **more):
    found = arrange(files, SPACES, KINDS, **more)
    return {name: [p.obj["metadata"]["name"] for p in items] for name, items in found.items()}


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("pay/a.yaml", ["pay"]),
        ("pay/deeper/a.yaml", ["pay"]),
        ("pay/web/a.yaml", ["pay"]),
        ("_shared/a.yaml", ["pay", "payments", "web"]),
        ("_shared/deny/a.yaml", ["pay", "payments", "web"]),
    ],
)
def test_the_first_folder_says_where_a_policy_goes(path, where):
    assert [n for n, items in placed({path: policy()}).items() if items] == where


def test_an_object_at_the_root_may_name_its_namespace():
    files = {"a.yaml": policy("a", "pay"), "b.json": policy("b", "web")}
    assert placed(files) == {"pay": ["a"], "payments": [], "web": ["b"]}


def test_the_source_may_keep_shared_policies_at_the_root_or_in_a_folder_of_another_name():
    everywhere = {"pay": ["deny"], "payments": ["deny"], "web": ["deny"]}
    assert placed({"a.yaml": policy()}, shared="root") == everywhere
    assert placed({"all/a.yaml": policy()}, shared="all") == everywhere


@pytest.mark.parametrize(
    ("path", "namespace", "shared", "says"),
    [
        (
            "paymnets/a.yaml",
            "",
            "_shared",
            "paymnets/a.yaml:1: the folder paymnets is no .*did you mean payments?",
        ),
        ("paymnets/a.yaml", "payments", "_shared", "did you mean payments?"),
        ("Web/a.yaml", "", "_shared", "did you mean web?"),
        ("_Shared/a.yaml", "", "_shared", "did you mean _shared?"),
        ("shared/a.yaml", "", "_shared", "did you mean _shared?"),
        (
            "base/a.yaml",
            "",
            "_shared",
            "a folder is named after a namespace .* what goes into all stands in _shared/",
        ),
        ("clusters/one/pay/a.yaml", "", "_shared", "did you mean git.path: clusters/one?"),
        ("_shared/a.yaml", "", "root", "the source says spec.shared: root"),
        ("_shared/a.yaml", "", "all", "the source says spec.shared: all"),
        ("a.yaml", "", "_shared", "a.yaml:1: a policy at the root says no namespace; move it to _shared/"),
        ("a.yaml", "", "all", "move it to all/"),
        ("a.yaml", "paymnts", "_shared", "namespace paymnts is outside the source.*did you mean payments?"),
        ("a.yaml", "kube-system", "root", "namespace kube-system is outside the source, or does not exist"),
        ("pay/a.yaml", "web", "_shared", "names namespace web in the folder of pay"),
        ("_shared/a.yaml", "web", "_shared", "names namespace web in _shared/, .*move it to web/"),
        ("_shared/web/a.yaml", "", "_shared", "_shared/web is named after namespace web.*move it to web/"),
        ("_shared/x/web/a.yaml", "", "_shared", "_shared/x/web is named after namespace web"),
        ("pay/a.yaml", "", "pay", "the folder pay would be namespace pay's and shared by all"),
    ],
)
def test_what_means_something_else_is_refused_by_name(path, namespace, shared, says):
    with pytest.raises(BadInput, match=says):
        placed({path: policy(namespace=namespace)}, shared=shared)


def test_a_folder_of_a_namespace_that_is_there_but_not_selected_says_so():
    with pytest.raises(BadInput, match="namespace web2 is there, but not selected"):
        placed({"web2/a.yaml": policy()}, others={"web2"})


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_a_kustomization_that_nobody_builds_is_refused_by_name(name):
    files = {
        "pay/a.yaml": policy(),
        f"pay/deeper/{name}": b"namePrefix: x-\n",
        "pay/deeper/b.yaml": policy("b"),
    }
    with pytest.raises(
        BadInput, match=f"pay/deeper/{name}: a kustomization below the first level .*one in pay/"
    ):
        placed(files)


def test_tests_may_stand_anywhere_and_what_a_left_namespace_held_is_passed_over():
    files = {
        "tests/t.yaml": TEST,
        "pay/a.yaml": policy(),
        "gone/a.yaml": policy(),
        "b.yaml": policy("b", "gone"),
    }
    assert placed(files, left={"gone"}) == {"pay": ["deny"], "payments": [], "web": []}
    with pytest.raises(BadInput, match=r"the folder gone is no namespace|namespace gone is outside"):
        placed(files)


@pytest.mark.parametrize("folder", ["x" * 5000, "ünï", "a b", "..", "-", "\u202epay"])
def test_odd_folders_are_refused_too(folder):
    with pytest.raises(BadInput, match="is no namespace that the source selects"):
        placed({f"{folder}/a.yaml": policy()})


WORKLOAD = b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: elsewhere}\nspec: {}\n"


def test_what_stands_among_the_workloads_goes_nowhere_whatever_it_is():
    files = {"pay/a.yaml": policy(), "_workloads/a.yaml": WORKLOAD, "_workloads/deep/b.yaml": WORKLOAD}
    assert placed(files) == {"pay": ["deny"], "payments": [], "web": []}
    assert placed({"a.yaml": policy(), "_workloads/a.yaml": WORKLOAD}, shared="root")["web"] == ["deny"]


def test_a_policy_among_the_workloads_is_refused_rather_than_lost():
    with pytest.raises(BadInput, match=r"_workloads/a.yaml:1: .*applied nowhere; move it to the folder"):
        placed({"pay/a.yaml": policy(), "_workloads/a.yaml": policy("b", "pay")})


def test_a_workload_anywhere_else_is_still_refused_and_workloads_alone_are_no_policies():
    with pytest.raises(BadInput, match="Deployment is not a kind"):
        placed({"_shared/a.yaml": WORKLOAD.replace(b", namespace: elsewhere", b"")})
    with pytest.raises(BadInput, match="no policy in the source's path"):
        placed({"_workloads/a.yaml": WORKLOAD})
    with pytest.raises(BadInput, match=r"did you mean _workloads\?"):
        placed({"workloads/a.yaml": WORKLOAD})


def test_a_source_may_share_policies_in_a_folder_of_that_name():
    assert placed({"_workloads/a.yaml": policy()}, shared="_workloads")["web"] == ["deny"]

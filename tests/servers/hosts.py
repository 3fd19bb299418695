"""Git hosts in memory that answer as GitHub, GitLab and Gitea do, as far as they are asked here."""

import hashlib
import json
import re
from urllib.parse import unquote

from werkzeug import Request, Response

from orchestrator.adapters.githosts.git_host import Hosts
from orchestrator.ports import CommitStatus
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.clock import SimulatedClock

HEAD = "c" * 40
WHOLE = "netpol-canary/shop"
LINK = "https://rollouts.example.com/rollouts/shop-c"


def connected(url, kind="github", secret=None, seconds=20):
    given = m.Feedback(host=kind, repository="shop/policies", secret_ref="x", api_url=url)
    data = {"token": b"hunter2\n"} if secret is None else secret
    return Hosts(SimulatedClock(), lambda name, where: data, seconds).get(given)


def status(context, state, text="watched", link=LINK):
    return CommitStatus(context, state, text, link)


def reply(body, status=200):
    return Response(json.dumps(body), status, content_type="application/json")


class Host:
    """`log` holds method and path of every request; `page` is the most items of a page, `routes` who answers."""

    routes = ()

    def __init__(self, page=100):
        self.page, self.log, self.tokens = page, [], set()
        self.statuses, self.comments = [], {}
        self.dying = None

    def dies(self, at, after):
        """The request of that number fails, before or after its effect."""
        self.dying = (at, after)

    def __call__(self, request: Request) -> Response:
        at, after = self.dying or (None, False)
        mine = at == len(self.log)
        if mine and not after:
            self.log.append((request.method, ""))
            return reply({}, 500)
        found = self.answer(request)
        return reply({}, 500) if mine else found

    def answer(self, request: Request) -> Response:
        path = unquote(request.path).strip("/")
        self.log.append((request.method, path))
        self.tokens |= {v for k, v in request.headers if k in ("Authorization", "Private-Token")}
        body = request.get_json() if request.data else {}
        for method, pattern, name in self.routes:
            found = re.fullmatch(pattern, path)
            if method == request.method and found:
                return getattr(self, name)(request.args, body, *found.groups())
        return reply({"message": "Not Found"}, 404)

    def paged(self, items, args):
        size = min(int(args.get("per_page", 30)), self.page)
        start = (int(args.get("page", 1)) - 1) * size
        return items[start : start + size]

    def writes(self):
        return [(method, path) for method, path in self.log if method != "GET"]

    def list_comments(self, args, body, number):
        return reply(self.paged(list(self.comments.values()), args))

    def add_comment(self, args, body, number):
        made = {"id": len(self.comments) + 1, "body": body["body"], "number": int(number)}
        self.comments[made["id"]] = made
        return reply(made, 201)

    def edit_comment(self, args, body, *ids):
        self.comments[int(ids[-1])]["body"] = body["body"]
        return reply({}, 200)


R = r"repos/shop/policies"
COMMENTS = [
    ("GET", rf"{R}/issues/(\d+)/comments", "list_comments"),
    ("POST", rf"{R}/issues/(\d+)/comments", "add_comment"),
    ("PATCH", rf"{R}/issues/comments/(\d+)", "edit_comment"),
]


class GitHub(Host):
    """With a repository of two commits that have a file below `net`, and a merged pull request."""

    routes = [
        ("GET", rf"{R}/commits/(\w+)/status", "combined"),
        ("POST", rf"{R}/statuses/(\w+)", "add_status"),
        ("GET", rf"{R}/commits/(\w+)/pulls", "pulls_of"),
        *COMMENTS,
        ("GET", rf"{R}/pulls", "pulls"),
        ("POST", rf"{R}/pulls", "add_pull"),
        ("GET", rf"{R}/git/ref/heads/(.+)", "ref"),
        ("POST", rf"{R}/git/refs", "add_ref"),
        ("GET", rf"{R}/git/commits/(\w+)", "commit"),
        ("POST", rf"{R}/git/commits", "add_commit"),
        ("GET", rf"{R}/git/trees/(\w+)", "tree"),
        ("POST", rf"{R}/git/trees", "add_tree"),
    ]

    def __init__(self, page=100):
        super().__init__(page)
        self.merged, self.opened, self.refs, self.objects = True, [], {}, {}
        self.head = HEAD
        old = self.put({"net/a.yaml": "1", "net/in/b.yaml": "2", "docs/x": "9"}, "b" * 40, [])
        self.put({"net/a.yaml": "1!", "net/c.yaml": "3", "docs/x": "9"}, HEAD, [old])
        self.refs["main"] = HEAD

    def put(self, files, commit, parents):
        """A commit of these files."""
        self.objects[commit] = {
            "sha": commit,
            "tree": {"sha": self.store(files)},
            "parents": [{"sha": p} for p in parents],
        }
        return commit

    def store(self, files):
        entries, inner = [], {}
        for path, text in sorted(files.items()):
            first, _, rest = path.partition("/")
            if rest:
                inner.setdefault(first, {})[rest] = text
            else:
                blob = hashlib.sha1(text.encode()).hexdigest()
                self.objects[blob] = text
                entries.append({"path": first, "mode": "100644", "type": "blob", "sha": blob})
        entries += [
            {"path": n, "mode": "040000", "type": "tree", "sha": self.store(f)} for n, f in inner.items()
        ]
        sha = hashlib.sha1(json.dumps(entries).encode()).hexdigest()
        self.objects[sha] = entries
        return sha

    def walk(self, tree, prefix=""):
        for entry in self.objects[tree]:
            yield {**entry, "path": prefix + entry["path"]}
            if entry["type"] == "tree":
                yield from self.walk(entry["sha"], f"{prefix}{entry['path']}/")

    def files(self, branch):
        """Text by path at a branch's head."""
        found = self.walk(self.objects[self.refs[branch]]["tree"]["sha"])
        return {e["path"]: self.objects[e["sha"]] for e in found if e["type"] == "blob"}

    def combined(self, args, body, sha):
        latest = list({s["context"]: s for s in self.statuses if s["sha"] == sha}.values())
        return reply({"state": "pending", "statuses": self.paged(latest, args), "total_count": len(latest)})

    def add_status(self, args, body, sha):
        assert len(body["description"]) <= 140
        self.statuses.append({"target_url": None, **body, "sha": sha})
        return reply(body, 201)

    def pulls_of(self, args, body, sha):
        open_one = {"number": 8, "merged_at": None}
        mine = {"number": 7, "merged_at": "2026-01-05T08:00:00Z", "merge_commit_sha": sha}
        other = {**mine, "number": 6, "merge_commit_sha": "e" * 40}
        return reply([open_one, *([other, mine] if self.merged and sha == self.head else [])])

    def pulls(self, args, body):
        return reply([p for p in self.opened if f"shop:{p['head']['ref']}" == args["head"]])

    def add_pull(self, args, body):
        if any(p["head"]["ref"] == body["head"] for p in self.opened):
            return reply({"message": "Validation Failed"}, 422)
        self.opened.append({**body, "number": 9, "head": {"ref": body["head"]}})
        return reply({}, 201)

    def ref(self, args, body, name):
        if name not in self.refs:
            return reply({"message": "Not Found"}, 404)
        return reply({"ref": f"refs/heads/{name}", "object": {"sha": self.refs[name]}})

    def add_ref(self, args, body):
        name = body["ref"].removeprefix("refs/heads/")
        if name in self.refs:
            return reply({"message": "Reference already exists"}, 422)
        self.refs[name] = body["sha"]
        return reply({}, 201)

    def commit(self, args, body, sha):
        return reply(self.objects[sha])

    def tree(self, args, body, sha):
        entries = list(self.walk(sha)) if args.get("recursive") else self.objects[sha]
        return reply({"sha": sha, "tree": entries, "truncated": False})

    def add_tree(self, args, body):
        files = {
            e["path"]: self.objects[e["sha"]] for e in self.walk(body["base_tree"]) if e["type"] == "blob"
        }
        for entry in body["tree"]:
            files.pop(entry["path"], None)
            if entry["sha"]:
                files[entry["path"]] = self.objects[entry["sha"]]
        return reply({"sha": self.store(files)}, 201)

    def add_commit(self, args, body):
        sha = hashlib.sha1(json.dumps(body).encode()).hexdigest()
        self.objects[sha] = {
            "sha": sha,
            "tree": {"sha": body["tree"]},
            "parents": [{"sha": p} for p in body["parents"]],
        }
        return reply({"sha": sha}, 201)


P = r"projects/shop/policies"


class GitLab(Host):
    """A status there cannot go from a state to the same one."""

    routes = [
        ("GET", rf"{P}/repository/commits/(\w+)/statuses", "latest"),
        ("POST", rf"{P}/statuses/(\w+)", "add_status"),
        ("GET", rf"{P}/repository/commits/(\w+)/merge_requests", "requests_of"),
        ("GET", rf"{P}/merge_requests/(\d+)/notes", "list_comments"),
        ("POST", rf"{P}/merge_requests/(\d+)/notes", "add_comment"),
        ("PUT", rf"{P}/merge_requests/(\d+)/notes/(\d+)", "edit_comment"),
    ]

    def latest(self, args, body, sha):
        found = {s["name"]: {"name": s["name"], "status": s["state"]} for s in self.statuses}
        return reply(self.paged(list(found.values()), args))

    def add_status(self, args, body, sha):
        old = next((s["state"] for s in reversed(self.statuses) if s["name"] == body["name"]), None)
        if old == body["state"]:
            return reply({"message": "Cannot transition status via :run from :running"}, 400)
        self.statuses.append({**body, "context": body["name"]})
        return reply({}, 201)

    def requests_of(self, args, body, sha):
        return reply([{"iid": 3, "state": "closed"}, {"iid": 4, "state": "merged"}])


class Gitea(Host):
    """Pages hold at most fifty items there, whatever is asked for; comments have none."""

    routes = [
        ("GET", rf"{R}/commits/(\w+)/statuses", "newest"),
        ("POST", rf"{R}/statuses/(\w+)", "add_status"),
        ("GET", rf"{R}/commits/(\w+)/pull", "pull_of"),
        *COMMENTS,
    ]

    def __init__(self, page=50):
        super().__init__(page)

    def newest(self, args, body, sha):
        found = [{"status": s["state"], **s} for s in reversed(self.statuses)]
        return reply(self.paged(found, args))

    def add_status(self, args, body, sha):
        self.statuses.append(body)
        return reply({}, 201)

    def pull_of(self, args, body, sha):
        return reply({"number": 7})

    def list_comments(self, args, body, number):
        return reply(list(self.comments.values()))

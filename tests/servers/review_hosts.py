"""Git hosts with one open pull request, on which several people comment."""

import hosts
from hosts import reply

US, STRANGER = "github-actions[bot]", "mallory"
MARKER = "<!-- netpol-canary check policies -->"
# What GitHub Actions says of a job on that pull request.
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_REF": "refs/pull/7/merge",
    "GITHUB_REPOSITORY": "shop/policies",
    "GITHUB_SERVER_URL": "https://github.example.com",
    "GITHUB_API_URL": "https://github.example.com/api/v3",
    "GITHUB_RUN_ID": "99",
    "GITHUB_TOKEN": "hunter2\n",
}


class _Review:
    """`me` is who the token is of; `refusals` are the answers to the next changes, in place of what they ask for."""

    def __init__(self, page=100, me=US):
        super().__init__(page)
        self.me, self.refusals, self.made, self.latest = me, [], 0, "f" * 40

    def pushed(self, commit):
        """The pull request ends with this commit now."""
        self.latest = commit

    def said(self, author, body):
        """A comment that stands there already."""
        self.made += 1
        one = {"id": self.made, "body": body, **self.signed(author)}
        self.comments[self.made] = one
        return one

    def bodies(self, author=None):
        """What stands there, in its order; of one author, where one is named."""
        wanted = self.signed(author or self.me)
        return [c["body"] for c in self.comments.values() if wanted.items() <= c.items()]

    def refused(self):
        return self.refusals.pop(0) if self.refusals else None

    def add_comment(self, args, body, number):
        assert int(number) == 7
        return self.refused() or reply(self.said(self.me, body["body"]), 201)

    def edit_comment(self, args, body, *ids):
        return self.refused() or super().edit_comment(args, body, *ids)

    def drop_comment(self, args, body, *ids):
        del self.comments[int(ids[-1])]
        return hosts.Response(status=204)


class GitHubReview(_Review, hosts.GitHub):
    """Who a token is of GraphQL says there: `GET /user` is not for an App's."""

    routes = [
        ("POST", "graphql", "viewer"),
        ("DELETE", rf"{hosts.R}/issues/comments/(\d+)", "drop_comment"),
        ("GET", rf"{hosts.R}/pulls/7", "pull"),
        *hosts.COMMENTS,
    ]

    def signed(self, author):
        return {"user": {"login": author}}

    def viewer(self, args, body):
        assert "viewer" in body["query"]
        return reply({"data": {"viewer": {"login": self.me}}})

    def pull(self, args, body):
        return reply({"number": 7, "head": {"sha": self.latest}})


class GitLabReview(_Review, hosts.GitLab):
    """Notes there have an author with a number."""

    routes = [
        ("GET", "user", "user"),
        ("GET", rf"{hosts.P}/merge_requests/7", "request"),
        ("DELETE", rf"{hosts.P}/merge_requests/(\d+)/notes/(\d+)", "drop_comment"),
        *hosts.GitLab.routes,
    ]

    def signed(self, author):
        return {"author": {"id": len(author), "username": author}}

    def user(self, args, body):
        return reply({"id": len(self.me), "username": self.me})

    def request(self, args, body):
        return reply({"iid": 7, "sha": self.latest})


def refusal(status, message="", **headers):
    """An answer that is no yes."""
    found = reply({"message": message}, status)
    for name, value in headers.items():
        found.headers[name.replace("_", "-")] = value
    return found

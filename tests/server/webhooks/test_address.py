"""One repository has many URLs."""

import pytest

from orchestrator.server.webhooks.same_repository import identity


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/team/shop",
        "https://git.example.com/team/shop.git",
        "https://git.example.com/team/shop.git/",
        "https://GIT.example.com:8443/team//shop",
        "https://user:word@git.example.com/team/shop",
        "http://git.example.com./Team/Shop",
        "ssh://git@git.example.com:2222/team/shop.git",
        "git://git.example.com/team/shop.git",
        "git@git.example.com:team/shop.git",
        "git@git.example.com:/team/shop.git",
        "git.example.com:team/shop",
        " https://git.example.com/team/%73hop\n",
    ],
)
def test_the_same(url):
    assert identity(url) == "git.example.com/team/shop"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://git.example.com/team/sho", "git.example.com/team/sho"),
        ("https://other.example.com/team/shop", "other.example.com/team/shop"),
        ("https://git.example.com/a/b/c/shop", "git.example.com/a/b/c/shop"),
        ("ssh://git@[2001:db8::1]:22/team/shop", "2001:db8::1/team/shop"),
        ("/srv/Git/shop.git", "/srv/Git/shop"),
        ("file:///srv/Git/shop", "/srv/Git/shop"),
        ("ssh://git@ssh.github.com:443/acme/rules.git", "github.com/acme/rules"),
        ("git@altssh.gitlab.com:acme/net/rules.git", "gitlab.com/acme/net/rules"),
        ("ssh://git@altssh.bitbucket.org:443/acme/rules", "bitbucket.org/acme/rules"),
        ("", ""),
        ("https://", ""),
        ("https://[", ""),
        ("https://git.example.com", ""),
    ],
)
def test_others(url, wanted):
    assert identity(url) == wanted

"""Whether somebody is let in: each way ends in a session, or in Denied with the words that the person reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from orchestrator.adapters.openid.idtoken import IdToken
from orchestrator.errors import Forbidden, PortError, Refused
from orchestrator.ports import Cluster
from orchestrator.server.parts import Callers
from orchestrator.server.signin import session as sessions
from orchestrator.server.signin.session import Session, Way
from orchestrator.server.signin.signin_context import SignInContext
from orchestrator.server.signin.signin_settings import Oidc

NOBODY = ("", "system:anonymous")


class Denied(Exception):
    """Nobody is let in; `status` is the HTTP status, the text is for the person."""

    def __init__(self, text: str, status: int = 401) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Admission:
    """All methods raise Denied."""

    desk: SignInContext

    def by_token(self, token: str, way: Way = "token") -> Session:
        """Whoever the API server says that this token is."""
        token = token.strip().removeprefix("Bearer ").strip()
        try:
            user, groups = _name(self._callers().with_token(token))
        except Refused as error:
            raise Denied(f"{error}") from None
        return self._begin(way, user, groups, token)

    def by_choice(self, number: str) -> Session:
        """One of the sandbox's people."""
        people = self.desk.parts.people
        if not number.isascii() or not number.isdigit() or int(number[:6]) >= len(people):
            raise Denied("choose one of the people", 400)
        person = people[int(number[:6])]
        return self._begin("person", person.user, person.groups)

    def by_openid(self, oidc: Oidc, found: IdToken) -> Session:
        """Whoever the provider says, as the cluster knows that person."""
        if oidc.impersonate:
            return self._impersonated(oidc, found.claims)
        try:
            return self.by_token(found.raw, "oidc")
        except Denied as error:
            if error.status != 401:
                raise
            text = "the provider knows you, but the cluster does not accept its tokens"
            raise Denied(
                f"{text}; whoever runs netpol-canary finds the way in docs/sign-in.md", 403
            ) from None

    def _impersonated(self, oidc: Oidc, claims: Mapping[str, Any]) -> Session:
        name = claims.get(oidc.user_claim)
        if not isinstance(name, str) or not name:
            raise Denied(f"the provider did not say your {oidc.user_claim}", 403)
        if oidc.user_claim == "email" and claims.get("email_verified") is not True:
            raise Denied("the provider has not verified your mail address", 403)
        listed = claims.get(oidc.groups_claim) or []
        listed = [listed] if isinstance(listed, str) else listed
        prefixed = [f"{oidc.groups_prefix}{g}" for g in listed if isinstance(g, str)]
        groups = tuple(g for g in oidc.impersonate_groups if g in prefixed)
        user = f"{oidc.user_prefix}{name}"
        try:
            found, _ = _name(self._callers().impersonating(user, groups))
        except Refused as error:
            raise Denied(str(error), 403) from None
        if found != user:
            raise Denied("the API server takes you for somebody else", 403)
        return self._begin("impersonated", user, groups)

    def _begin(self, way: Way, user: str, groups: tuple[str, ...], token: str = "") -> Session:
        now, most = self.desk.parts.ctx.clock.now(), self.desk.settings.session_seconds
        made = sessions.begin(way, user, groups, now, most, token)
        if made.expires <= now:
            raise Denied("the token has expired")
        structlog.get_logger().info("signed in", user=user, way=way)
        return made

    def _callers(self) -> Callers:
        if self.desk.parts.callers is None:
            raise Denied("nobody can sign in here: there is no cluster to ask", 503)
        return self.desk.parts.callers


def _name(cluster: Cluster) -> tuple[str, tuple[str, ...]]:
    try:
        user, groups = cluster.user()
    except Forbidden as error:
        if error.status == 401:
            raise Denied("the cluster does not accept this token") from None
        raise Denied("the service account may not act in your name; see docs/sign-in.md", 403) from None
    except PortError as error:
        structlog.get_logger().warning("the API server does not say who signs in", error=str(error))
        raise Denied("the API server gave no answer; try again", 502) from None
    if user in NOBODY:
        raise Denied("the cluster does not accept this token")
    return user, groups

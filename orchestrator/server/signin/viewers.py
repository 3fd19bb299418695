"""From a session to whom it belongs, with a cluster that is called in that person's name."""

import threading
from collections import OrderedDict

from orchestrator.errors import Refused
from orchestrator.ports import Cluster
from orchestrator.server.parts import Parts, Viewer
from orchestrator.server.signin.permission import Permission
from orchestrator.server.signin.session import Session
from orchestrator.server.signin.signin_settings import SignIn

MOST = 200  # sessions whose connections are kept open; others begin anew


class Viewers:
    """Keeps each session's connections and permissions, the last ones used, within a bound."""

    def __init__(self, parts: Parts, settings: SignIn) -> None:
        self._parts, self._settings = parts, settings
        self._known: OrderedDict[str, Viewer] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, session: Session) -> Viewer | None:
        """Who that is; None where the way that the session came by is closed now."""
        with self._lock:
            known = self._known.get(session.id)
            if known is not None:
                self._known.move_to_end(session.id)
                return known
        try:
            cluster = self._cluster(session)
        except Refused:
            return None
        if cluster is None:
            return None
        may = Permission(cluster, self._parts.ctx.namespace, self._parts.ctx.clock)
        made = Viewer(session.user, session.groups, cluster, may, session.csrf)
        with self._lock:
            self._known[session.id] = made
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return made

    def forget(self, session: Session) -> None:
        """Let go of its connections."""
        with self._lock:
            self._known.pop(session.id, None)

    def _cluster(self, session: Session) -> Cluster | None:
        callers, oidc = self._parts.callers, self._settings.oidc
        if callers is None:
            return None
        if session.way == "token" and self._settings.token:
            return callers.with_token(session.token)
        if session.way == "oidc" and oidc.issuer and not oidc.impersonate:
            return callers.with_token(session.token)
        if session.way == "impersonated" and oidc.issuer and oidc.impersonate:
            allowed = set(oidc.impersonate_groups)
            return callers.impersonating(session.user, tuple(g for g in session.groups if g in allowed))
        people = [(p.user, p.groups) for p in self._parts.people]
        if session.way == "person" and (session.user, session.groups) in people:
            return callers.impersonating(session.user, session.groups)
        return None

"""Signing in: `install` puts the pages of it into an application, and a guard before everything else."""

from fastapi import FastAPI

from orchestrator.server.parts import Parts
from orchestrator.server.signin.request_guard import Guard
from orchestrator.server.signin.signin_context import open_desk
from orchestrator.server.signin.signin_routes import routes
from orchestrator.server.signin.signin_settings import SignIn


def install(app: FastAPI, parts: Parts, settings: SignIn) -> None:
    """From here on nothing but the paths of guard.py is served without signing in. Raises BadInput."""
    desk = open_desk(parts, settings)
    app.include_router(routes(desk))
    app.add_middleware(Guard, desk=desk)

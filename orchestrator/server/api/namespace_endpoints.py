"""`/api/v1/namespaces`: what stands in one of them."""

from fastapi import APIRouter, Request

from orchestrator.server.api.api_route import api_router, reading
from orchestrator.server.api.namespace_answers import NamespaceAnswer, namespace_answer
from orchestrator.server.pages.page import as_seen
from orchestrator.server.pages.standing.namespace_view import namespace_view
from orchestrator.server.parts import Parts


def router(parts: Parts) -> APIRouter:
    """One by its name; which there are is the cluster's to say."""
    found = api_router()

    @reading(found, "/namespaces/{name}", NamespaceAnswer, "What stands in a namespace")
    def get_namespace(request: Request, name: str) -> NamespaceAnswer:
        return namespace_answer(namespace_view(as_seen(request, parts), name))

    return found

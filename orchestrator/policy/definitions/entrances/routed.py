"""All through which controllers lead from outside to Services, each as a reader of one document."""

from collections.abc import Callable, Iterator, Sequence

from orchestrator.policy.definitions.entrances.contour_routes import Included, contour_calls, contour_routes
from orchestrator.policy.definitions.entrances.controllers import Controllers
from orchestrator.policy.definitions.entrances.entrances import Named, ingresses, routes
from orchestrator.policy.definitions.entrances.ingress_calls import ingress_calls
from orchestrator.policy.definitions.entrances.istio_routes import Delegates, istio_routes
from orchestrator.policy.definitions.entrances.traefik_routes import Steps, traefik_calls, traefik_routes
from orchestrator.policy.definitions.needed import Found
from orchestrator.policy.definitions.texts.said_targets import Said
from orchestrator.policy.files.manifest import Document

Reader = Callable[[Document], Iterator[Found]]


def routed(
    documents: Sequence[Document], services: Named, known: Controllers, delegates: Delegates
) -> list[Reader]:
    """Whom the controllers lead to the backends of Ingresses and routes."""
    included, steps = Included(documents), Steps(documents)
    return [
        lambda d: ingresses(d, services, known),
        lambda d: routes(d, documents, services, known),
        lambda d: istio_routes(d, documents, services, known, delegates),
        lambda d: traefik_routes(d, steps, services, known),
        lambda d: contour_routes(d, included, services, known),
    ]


def asked_beside(
    documents: Sequence[Document], services: Named, known: Controllers, said: Said
) -> list[Reader]:
    """What the controllers call themselves beside these backends."""
    steps = Steps(documents)
    return [
        lambda d: ingress_calls(d, known, said),
        lambda d: traefik_calls(d, steps, known, said),
        lambda d: contour_calls(d, services, known),
    ]

"""Every route of an application, those of included routers and mounted applications too."""


def routes_of(routes):
    """Pairs of a path and its methods; a mounted application without routes of its own has GET."""
    for route in routes:
        inner = getattr(route, "routes", None)
        inner = inner or getattr(getattr(route, "original_router", None), "routes", None)
        if inner and not getattr(route, "methods", None):
            prefix = getattr(route, "path", "") or ""
            yield from ((prefix + path, methods) for path, methods in routes_of(inner))
        elif getattr(route, "path", None) is not None:
            yield route.path, getattr(route, "methods", None) or {"GET"}

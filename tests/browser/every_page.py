"""The address of each kind of page, by the name that its picture has."""


def every_page(page):
    """Of what stands in the sandbox; `page` is one whose visitor is signed in."""
    page.goto("/")
    links = [a.get_attribute("href") for a in page.locator("main a[href^='/rollouts/']").all()]
    waiting = next(link.removesuffix("/approve") for link in links if link.endswith("/approve"))
    whys = [link for link in links if link.endswith("/why")]
    return {
        "now": "/",
        "rollout": waiting,
        "approve": f"{waiting}/approve",
        "emergency": f"{waiting}/emergency",
        "rolled-back": whys[-1].removesuffix("/why"),
        "why": whys[0],  # whose revision is blocked, so that there is something to do
        "history": "/history",
        "sources": "/sources",
        "namespace": "/namespaces/checkout",
        "search": "/search?q=pay",
        "map": "/map?namespace=checkout",
        "map-all": "/map",
        "map-change": f"/map?rollout={waiting.rpartition('/')[2]}",
    }

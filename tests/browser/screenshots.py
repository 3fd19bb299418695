"""Takes a picture of every page, light, dark and on a telephone: `python tests/browser/screenshots.py DIR`."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
import on_path  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent))  # first, since other folders of tests have a conftest, too
from conftest import CHROMIUM, Visit, serving
from every_page import every_page
from in_a_hurry import ROLLOUT, in_a_hurry, signed_in

LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1180, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1180, "height": 800}},
    "narrow": {
        "color_scheme": "light",
        "viewport": {"width": 390, "height": 800},
        "device_scale_factor": 1.5,
    },
}
COLOURS = 160
TALLEST = 2600  # of a page; what is below is more of the same
SETTLE = 600  # milliseconds until plots are drawn


def main(target):
    if CHROMIUM is None:
        sys.exit("Chromium is missing: apt-get install chromium")
    target.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "shop", factor=1.0) as (base, _),
        sync_playwright() as started,
    ):
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for look, options in LOOKS.items():
            visit = Visit(browser, base, **options)
            take(visit.page, "/signin", target / f"signin-{look}.png")
            visit.as_("ben")
            for name, address in every_page(visit.page).items():
                take(visit.page, address, target / f"{name}-{look}.png")
            with in_a_hurry() as url:  # in the demo nobody may declare one
                context = browser.new_context(base_url=url, **options)
                take(signed_in(context.new_page()), f"{ROLLOUT}/emergency", target / f"emergency-{look}.png")
                context.close()
        browser.close()
    total = sum(f.stat().st_size for f in target.glob("*.png"))
    print(f"{len(list(target.glob('*.png')))} pictures, {total / 1e6:.1f} MB")


def take(page, address, to):
    page.goto(address)
    page.evaluate("document.querySelectorAll('.cellplan').forEach((node, n) => { node.open = n === 0; })")
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(SETTLE)
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    clip = {"x": 0, "y": 0, "width": page.viewport_size["width"], "height": height}
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip))).convert("RGB")
    shot.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(to, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

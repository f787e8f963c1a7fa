"""Pictures of the page for docs/gallery/verify-page/: ``python -m tests.verify_page.gallery``."""

import io
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import sync_playwright

from tests.commands.test_verify import GENUINE
from tests.verify_page.browser import Tab, launched, tab
from tests.verify_page.scene import (
    certificate,
    issued_city,
    link_fragment,
    pictures,
    png,
    served,
    with_one_glyph_altered,
)

FOLDER = Path("docs/gallery/verify-page")
COLOURS = 128
WIDE = {"width": 1_000, "height": 800}
PHONE = {"width": 390, "height": 844}
VISITORS = (
    ("ja", "ja-JP", "desktop", WIDE),
    ("ja", "ja-JP", "phone", PHONE),
    ("en", "en-GB", "desktop", WIDE),
    ("en", "en-GB", "phone", PHONE),
)


def main() -> None:
    """Draw all pictures anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        city = issued_city(Path(temporary) / "city")
        genuine = certificate(city / "keys", GENUINE)
        sides = pictures(certificate(city / "keys", GENUINE, specimen=True, backs=True))
        with served(city, "--config", "server.toml") as page, sync_playwright() as playwright:
            browser = launched(playwright)
            for language, locale, screen, viewport in VISITORS:
                with tab(browser, page.address, locale=locale, viewport=viewport) as visitor:
                    draw(visitor, f"{language}-{screen}", genuine, sides)
            browser.close()


def draw(visitor: Tab, name: str, genuine: bytes, sides: list[Image.Image]) -> None:
    """Draw what one visitor sees."""
    visitor.open()
    save(visitor, f"start-{name}")
    visitor.choose(("certificate.pdf", genuine))
    visitor.verify()
    save(visitor, f"genuine-{name}")
    visitor.page.reload()
    if name == "ja-desktop":
        face, back = sides[0].copy(), sides[1]
        ImageDraw.Draw(face).rectangle((620, 702, 634, 716), fill=0)
        visitor.choose(("face.png", png(face)), ("back.png", png(back)))
    else:
        visitor.choose(("certificate.pdf", with_one_glyph_altered(genuine)))
    visitor.verify()
    save(visitor, f"altered-{name}")
    visitor.open(link_fragment(genuine))
    visitor.page.wait_for_selector("#record")
    save(visitor, f"link-{name}")


def save(visitor: Tab, name: str) -> None:
    """Write the whole page as a small picture."""
    taken = Image.open(io.BytesIO(visitor.page.screenshot(full_page=True))).convert("RGB")
    paletted = taken.quantize(COLOURS, method=Image.Quantize.FASTOCTREE)
    paletted.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()

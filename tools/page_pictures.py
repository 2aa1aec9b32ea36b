"""Takes the pictures of the page in docs/pictures, with the bundled photographs, in Debian's Chromium.

instcolor serve --port 8000        # in another terminal
python tools/page_pictures.py http://127.0.0.1:8000
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
HERE, PHOTOS = ROOT / "docs" / "pictures", ROOT / "examples" / "photos"
PATIENCE = 300_000  # milliseconds, for a busy machine
NAMES = ("grace-hopper", "nagasaki-boats", "dust-bowl-home", "cat", "tesla", "raccoon")


def shown(browser: Browser, address: str, names: tuple[str, ...], **options: Any) -> Page:
    """The page with these photos in color, the first one open."""
    page = browser.new_context(**options).new_page()
    page.goto(address)
    page.set_input_files("#choose", [PHOTOS / f"{name}.jpg" for name in names])
    page.wait_for_selector(f".card[data-status=done] >> nth={len(names) - 1}", timeout=PATIENCE)
    page.click(".card .open >> nth=0")
    page.wait_for_timeout(2000)
    page.evaluate("() => scrollTo(0, 0)")
    return page


def save(page: Page, name: str, width: int) -> None:
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    size = (width, round(image.height * width / image.width))
    image.resize(size, Image.Resampling.LANCZOS).save(HERE / name, "JPEG", quality=85)


def main(address: str) -> None:
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        desktop = shown(browser, address, NAMES, viewport={"width": 1280, "height": 860})
        save(desktop, "page-desktop.jpg", 1000)
        desktop.click("[data-tool=objects]")
        desktop.click("#others")
        desktop.wait_for_selector(".alternative >> nth=3", timeout=PATIENCE)
        desktop.wait_for_timeout(1000)
        save(desktop, "page-objects.jpg", 800)
        desktop.click("[data-tool=color]")
        desktop.click(".card .open >> nth=1")
        desktop.click("#sure")
        desktop.wait_for_timeout(2000)
        save(desktop, "page-sure.jpg", 800)
        phone = {"viewport": {"width": 390, "height": 800}, "device_scale_factor": 2, "color_scheme": "dark"}
        save(shown(browser, address, NAMES[1:3], **phone, has_touch=True, is_mobile=True), "page-phone.jpg", 390)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])

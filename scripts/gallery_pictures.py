"""Pictures of the gallery for the docs: ``python scripts/gallery_pictures.py DATASET OUT``."""

import io
import shutil
import sys
import threading
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from turntable.service import build_catalog, create_app

PORT = 8797
QUALITY = 82


def main(dataset: Path, out: Path) -> None:
    """Serve the data set, look at it, and write ``gallery.jpg`` and ``frames.jpg``."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(build_catalog([dataset])), port=PORT, log_level="error")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
            take(browser.new_page(viewport={"width": 1100, "height": 900}), dataset.name, out)
            browser.close()
    finally:
        server.should_exit = True
        thread.join()


def take(page: Page, name: str, out: Path) -> None:
    """Take both pictures."""
    gallery = f"http://127.0.0.1:{PORT}/gallery/#/d/{name}"
    page.goto(gallery)
    page.wait_for_selector(".views li")
    page.wait_for_load_state("networkidle")
    save(page.screenshot(), out / "gallery.jpg")
    key = (page.locator(".views a").first.get_attribute("href") or "").split("/")[-2]
    page.goto(f"{gallery}/o/{key}/1")
    page.wait_for_selector(".stage line")
    page.wait_for_load_state("networkidle")
    save(page.locator(".stage").screenshot(), out / "frames.jpg")


def save(png: bytes, place: Path) -> None:
    """Save as a JPEG, because these are pictures of pictures."""
    Image.open(io.BytesIO(png)).convert("RGB").save(place, quality=QUALITY, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Debian's Chromium, and a tab of it that notes what the page asks for and complains of."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request

NO_CHROMIUM = "these tests drive Chromium: apt-get install chromium, or tools/debian_packages"
WAIT_MS = 20_000


def launched(playwright: Playwright, *arguments: str) -> Browser:
    """Start Chromium."""
    path = shutil.which("chromium")
    assert path is not None, NO_CHROMIUM
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses root otherwise
    return playwright.chromium.launch(executable_path=path, args=[*as_root, *arguments])


@dataclass
class Tab:
    """A visitor's tab.

    Attributes:
        page: of playwright.
        address: of the verification page.
        asked: method and address of every request.
        complaints: what the console says.
    """

    page: Page
    address: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, fragment: str = "") -> None:
        """Open the page, or a link to it."""
        self.page.goto(self.address + (f"#{fragment}" if fragment else ""))
        self.page.wait_for_selector("#city:not(:empty)", state="attached")

    def choose(self, *files: tuple[str, bytes]) -> None:
        """Choose files by name and content."""
        payloads: Sequence[Any] = [
            {"name": name, "mimeType": _media_type(name), "buffer": content}
            for name, content in files
        ]
        self.page.set_input_files("#files", payloads)

    def verify(self) -> str:
        """Press the button, and return the verdict."""
        self.page.click("#verify")
        return self.verdict()

    def verdict(self) -> str:
        """Return the verdict that is shown."""
        return self.page.locator("#verdict").inner_text()

    def told(self) -> str:
        """Return all that the result says."""
        return self.page.locator("#result").inner_text()


@contextmanager
def tab(browser: Browser, address: str, **options: Any) -> Iterator[Tab]:
    """Open a tab that forgets all; it must have stayed at home, without complaints."""
    context: BrowserContext = browser.new_context(**{"locale": "ja-JP", **options})
    context.set_default_timeout(WAIT_MS)
    opened = Tab(context.new_page(), address)

    def note(request: Request) -> None:
        opened.asked.append(f"{request.method} {request.url}")

    context.on("request", note)
    opened.page.on("console", lambda message: opened.complaints.append(message.text))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    cookies, stored = context.cookies(), context.storage_state()
    context.close()

    assert [] == opened.complaints
    home = (address, f"blob:{address}", "data:image/png;")
    assert [] == [one for one in opened.asked if not one.partition(" ")[2].startswith(home)]
    assert ([], []) == (cookies, stored["origins"])


def _media_type(name: str) -> str:
    return {"pdf": "application/pdf", "png": "image/png"}[Path(name).suffix[1:]]

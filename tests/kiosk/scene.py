"""A sample city, its machine in a process of its own, and a person at its panel in Chromium."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from issuance_server.demo.stage import free_port, start_server
from issuance_server.desk_commands.set_up import init, sample_pin
from tests.verify_page.browser import Tab, tab

TERMINAL = "7E-0002"
START_LINE = re.compile(r"http://127\.0\.0\.1:\d+/")
STOP_SECONDS_MAX = 30
SHEET_MS = 100
AXE = Path(__file__).parents[1] / "interop" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def opened_city(folder: Path) -> Iterator[Path]:
    """Make a sample city and serve it while the block runs."""
    init(folder, sample="toyonaka", broker_port=free_port())
    server = start_server(folder)
    try:
        yield folder
    finally:
        server.stop()


@contextmanager
def served_kiosk(city: Path, *arguments: str, sheet_ms: int = SHEET_MS) -> Iterator[str]:
    """Serve the panel of a machine of the city and give its address; it must end well."""
    command = [sys.executable, "-m", "terminal_sim", "kiosk", "--port", "0"]
    command += ["--terminal", str(city / "terminals" / TERMINAL), "--cards", str(city / "cards")]
    command += ["--notes", str(city / "README.md"), "--out", str(city / "paper")]
    command += ["--sheet-ms", str(sheet_ms), *arguments]
    with (city / "kiosk.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            found = START_LINE.search(process.stdout.readline())
            assert found, (city / "kiosk.log").read_text()
            yield found[0]
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(STOP_SECONDS_MAX)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


@dataclass
class Person:
    """Somebody in front of the panel."""

    tab: Tab

    def open(self) -> "Person":
        """Open the panel, and wait for the main menu."""
        self.tab.page.goto(self.tab.address)
        return self.sees("start")

    def sees(self, name: str) -> "Person":
        """Wait until a screen is shown."""
        self.tab.page.wait_for_selector(f"html[data-screen='{name}']")
        return self

    def touch(self, *touches: str) -> "Person":
        """Touch things, one after the other."""
        for one in touches:
            self.tab.page.click(f"[data-touch='{one}']:not([aria-disabled])")
        return self

    def fault(self, name: str) -> "Person":
        """Turn a fault in the operator's drawer."""
        if self.tab.page.get_attribute("#operator", "open") is None:
            self.tab.page.click("#operator summary")
        self.tab.page.click(f"[data-fault='{name}']")
        return self

    def type_pin(self, pin: str) -> "Person":
        """Touch the digits on the pad, wherever they stand."""
        for at, digit in enumerate(pin, start=1):
            self.tab.page.click(f".digit:text-is('{digit}')")
            self.tab.page.wait_for_selector(f".typed i.full:nth-child({at})")
        return self.touch("pin-typed")

    def present(self, card: str) -> "Person":
        """Place a card, show that it is one's own, and take it back."""
        self.touch("start", "agree", f"card:{card}").sees("pin")
        self.type_pin(sample_pin(card)).sees("take-card")
        return self.touch("card-taken").sees("kinds")

    def told(self) -> str:
        """Return what the panel says."""
        return self.tab.page.inner_text("#told")

    def leave(self) -> "Person":
        """Go, and wait until the machine is there for the next one."""
        return self.touch("finish").sees("goodbye").touch("home").sees("start")


@contextmanager
def at_panel(browser: Browser, address: str, **options: Any) -> Iterator[Person]:
    """Stand before the panel."""
    with tab(browser, address, **options) as opened:
        yield Person(opened).open()


def violations(page: Page) -> list[tuple[str, str]]:
    """Return what the accessibility checker finds: rules, and the elements that break them."""
    assert AXE.is_file(), "the checker is missing: cd tests/interop && npm ci"
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run({runOnly: rules, iframes: false})", RULES
    )
    return [(one["id"], node["html"]) for one in found["violations"] for node in one["nodes"]]

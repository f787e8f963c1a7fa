"""Pictures of the panel for docs/gallery/kiosk/: ``python -m tests.kiosk.gallery``."""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from issuance_server.desk_commands.set_up import sample_pin
from tests.kiosk.scene import Person, at_panel, opened_city, served_kiosk
from tests.verify_page.browser import launched, tab

FOLDER = Path("docs/gallery/kiosk")
COLOURS = 96
WIDE = {"width": 1_000, "height": 760}
PHONE = {"width": 390, "height": 844}
SEATED = {"width": 1_080, "height": 1_300}
FAMILY, ALONE, FORGETFUL = "h000-m1", "h001-m1", "h002-m1"
SHEET_MS = 1_200


def main() -> None:
    """Draw all pictures anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as temporary,
        opened_city(Path(temporary) / "city") as city,
        served_kiosk(city, sheet_ms=SHEET_MS) as address,
        sync_playwright() as playwright,
    ):
        browser = launched(playwright)
        with at_panel(browser, address, viewport=WIDE) as person:
            course(person, "ja")
        with at_panel(browser, address, viewport=WIDE, locale="en-GB") as person:
            course(person, "en")
        with at_panel(browser, address, viewport=WIDE) as person:
            faults(person)
        prepared(browser, address)
        comforts(browser, address)
        languages(browser, address)
        browser.close()


def course(person: Person, language: str) -> None:
    """Draw every step from the main menu to the farewell."""

    def see(name: str) -> None:
        person.sees(name)
        save(person, f"course-{language}-{name}")

    see("start")
    person.touch("start")
    see("notice")
    person.touch("agree")
    see("card")
    person.touch(f"card:{FAMILY}")
    see("pin")
    person.type_pin(sample_pin(FAMILY))
    see("take-card")
    person.touch("card-taken")
    see("kinds")
    person.touch("kind:juminhyo", "scope:some", "item:relationship")
    see("options")
    person.touch("next").sees("members").touch("member:1", "member:2")
    see("members")
    person.touch("next")
    see("copies")
    person.touch("more", "next")
    see("confirm")
    person.touch("confirm")
    see("money")
    person.touch("yen:500", "pay")
    person.sees("printing")
    person.tab.page.wait_for_selector(".sheets img[src]")
    see("printing")
    person.sees("paper")
    person.tab.page.wait_for_selector(".sheets figure:nth-child(2) img[src]")
    person.tab.page.wait_for_timeout(1_200)
    see("paper")
    person.touch("paper-taken")
    see("more")
    person.touch("finish")
    see("goodbye")
    person.touch("home").sees("start")


def faults(person: Person) -> None:
    """Draw what a person sees when something fails."""
    page = person.tab.page
    wrong = f"{(int(sample_pin(FORGETFUL)) + 1) % 10_000:04d}"
    person.touch("start", "agree", f"card:{FORGETFUL}").sees("pin").type_pin(wrong)
    page.wait_for_selector("#told:has-text('あと2回')")
    person.type_pin(wrong)
    page.wait_for_selector("#told:has-text('次に間違えると')")
    save(person, "fault-last-try")
    person.type_pin(wrong).sees("stopped")
    save(person, "fault-locked")
    person.touch("card-taken", "home").sees("start").fault("jam").sees("closed")
    save(person, "fault-closed-jam")
    person.fault("jam").sees("start").present(ALONE).fault("line")
    page.wait_for_selector("#told:has-text('通信が途切れています')")
    save(person, "fault-line")
    person.fault("line").touch("kind:inkan", "next", "confirm").sees("money")
    person.touch("yen:100", "yen:100").fault("toner").touch("pay").sees("stopped")
    save(person, "fault-printer")
    person.fault("toner").touch("another").sees("kinds").touch("kind:inkan", "next", "confirm")
    person.sees("money").touch("yen:500", "pay").fault("plug").sees("off")
    save(person, "fault-plug")
    person.fault("plug").sees("stopped")
    save(person, "fault-power")
    person.touch("home").sees("start").touch("start", "agree", f"card:{ALONE}").sees("pin")
    person.type_pin(sample_pin(ALONE)).sees("take-card")
    page.wait_for_selector(".alarm")
    save(person, "fault-forgotten-card")
    person.touch("card-taken").sees("kinds")
    page.wait_for_selector("#warning:not([hidden])", timeout=60_000)
    save(person, "fault-time-warning")
    person.touch("cancel").sees("goodbye").touch("home").sees("start")


def prepared(browser: Browser, address: str) -> None:
    """Draw what is chosen at home, and how its code is taken."""
    with tab(browser, address, viewport=PHONE) as phone:
        phone.page.goto(f"{address}prepare")
        phone.page.wait_for_selector("#kinds label")
        phone.page.click("#make")
        phone.page.locator("#made img").evaluate("one => one.decode()")
        write(phone.page, "prepared-phone")
    with at_panel(browser, address, viewport=WIDE) as person:
        person.touch("prepare").sees("prepared").touch("letter:K", "letter:0")
        save(person, "prepared-panel")
        person.touch("home").sees("start")


def comforts(browser: Browser, address: str) -> None:
    """Draw large text, high contrast and low controls."""
    for comfort, viewport in (("large-text", WIDE), ("contrast", WIDE), ("low-reach", SEATED)):
        with at_panel(browser, address, viewport=viewport) as person:
            person.tab.page.click(f"[data-comfort='{comfort}']")
            person.touch("start", "agree").sees("card")
            save(person, f"comfort-{comfort}-card")
            person.touch(f"card:{ALONE}").sees("pin")
            save(person, f"comfort-{comfort}-pin")
            person.type_pin(sample_pin(ALONE)).sees("take-card").touch("card-taken").sees("kinds")
            save(person, f"comfort-{comfort}-kinds")
            person.touch("cancel").sees("goodbye").touch("home").sees("start")


def languages(browser: Browser, address: str) -> None:
    """Draw the menu of certificates in the other languages."""
    for language in ("ja-easy", "zh", "ko", "vi", "pt"):
        with at_panel(browser, address, viewport=WIDE) as person:
            person.tab.page.select_option("#languages", language)
            person.present(ALONE)
            save(person, f"language-{language}")
            person.touch("cancel").sees("goodbye").touch("home").sees("start")


def save(person: Person, name: str) -> None:
    """Write what a person sees."""
    write(person.tab.page, name)


def write(page: Page, name: str) -> None:
    """Write the whole page as a small picture."""
    taken = page.screenshot(full_page=True)
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    paletted = picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE)
    paletted.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()

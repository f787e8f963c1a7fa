"""The panel in Chromium: the whole course, its faults, and whoever cannot see, reach or read it."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from issuance_server.desk_commands.set_up import sample_pin
from terminal_sim.kiosk.words import LANGUAGES
from tests.kiosk.scene import Person, at_panel, violations
from tests.verify_page.browser import tab

pytestmark = [pytest.mark.slow, pytest.mark.processes]

FAMILY, ALONE, FORGETFUL = "h000-m1", "h001-m1", "h002-m1"
NARROW = {"width": 320, "height": 640}
SEATED = {"width": 1_080, "height": 1_400}
PAGE_BYTES_MAX = 300_000
BUSIEST = {"start", "pin", "kinds", "money"}


@pytest.fixture
def person(browser: Browser, address: str) -> Iterator[Person]:
    """A Japanese person."""
    with at_panel(browser, address) as there:
        yield there


def test_the_whole_course_in_japanese(person: Person, city: Path) -> None:
    """Two certificates in one visit; who cannot see gets along, and no PIN is sent as it is."""
    posted: list[str] = []
    person.tab.page.on("request", lambda request: posted.append(request.post_data or ""))
    pin = sample_pin(FAMILY)
    assert [] == violations(person.tab.page)
    person.touch("start").sees("notice")
    assert [] == violations(person.tab.page)
    person.touch("agree").sees("card")
    assert [] == violations(person.tab.page)
    person.touch(f"card:{FAMILY}").sees("pin")
    pad = person.tab.page.locator(".pad")
    in_order = pad.inner_text()
    person.touch("shuffle")
    expect(pad).not_to_have_text(in_order, use_inner_text=True)
    assert [] == violations(person.tab.page)
    person.type_pin(pin).sees("take-card")
    assert [] == violations(person.tab.page)
    person.touch("card-taken").sees("kinds")
    assert "200円" in person.tab.page.inner_text("#controls")
    assert [] == violations(person.tab.page)
    person.touch("kind:juminhyo").sees("options")
    person.touch("scope:household", "item:relationship")
    assert [] == violations(person.tab.page)
    person.touch("next").sees("copies")
    assert [] == violations(person.tab.page)
    person.touch("next").sees("confirm")
    assert "世帯全員" in person.told()
    assert [] == violations(person.tab.page)
    person.touch("confirm").sees("money")
    assert [] == violations(person.tab.page)
    person.touch("yen:500", "pay").sees("paper")
    person.tab.page.wait_for_selector(".sheets figure:nth-child(2) img[src]")
    assert "2枚で1組" in person.told()
    assert [] == violations(person.tab.page)
    person.touch("paper-taken").sees("more")
    assert "300円" in person.told()
    assert [] == violations(person.tab.page)
    person.touch("another").sees("kinds").touch("kind:inkan").sees("copies")
    person.touch("next", "confirm").sees("money").touch("yen:100", "yen:100", "pay")
    person.sees("paper").touch("paper-taken").sees("more")
    assert "400円" in person.told()
    person.touch("finish").sees("goodbye")
    assert [] == violations(person.tab.page)
    person.touch("home").sees("start")

    assert 2 <= len(list((city / "paper").glob("*.pdf")))
    assert [] == [body for body in posted if pin in body]


def test_the_whole_course_in_english_with_the_keyboard(browser: Browser, address: str) -> None:
    """On a narrow screen, without a pointer: Tab reaches all, Enter does it, digits are typed."""
    with at_panel(browser, address, locale="en-GB", viewport=NARROW) as person:
        page = person.tab.page

        def press(touch: str) -> None:
            for _ in range(60):
                page.keyboard.press("Tab")
                at = page.evaluate("document.activeElement.dataset.touch ?? ''")
                if at == touch:
                    break
            assert at == touch
            page.keyboard.press("Enter")

        for touch, following in (
            ("start", "notice"),
            ("agree", "card"),
            (f"card:{ALONE}", "pin"),
        ):
            press(touch)
            person.sees(following)
            assert NARROW["width"] == page.evaluate("document.documentElement.scrollWidth")
        page.keyboard.type(sample_pin(ALONE))
        page.wait_for_selector("[data-touch='pin-typed']:not([aria-disabled])")
        for touch, following in (
            ("pin-typed", "take-card"),
            ("card-taken", "kinds"),
            ("kind:juminhyo", "options"),
            ("next", "copies"),
            ("next", "confirm"),
            ("confirm", "money"),
            ("yen:500", "money"),
        ):
            press(touch)
            person.sees(following)
            assert NARROW["width"] == page.evaluate("document.documentElement.scrollWidth")
        page.wait_for_selector("[data-touch='pay']:not([aria-disabled])")
        press("pay")
        person.sees("paper")
        assert "1 sheet" in person.told()
        assert [] == violations(person.tab.page)
        press("paper-taken")
        person.sees("more")
        press("finish")
        person.sees("goodbye")
        press("home")
        person.sees("start")


@pytest.mark.parametrize(
    ("language", "title", "why"),
    [("zh", "请选择证明书", "日元"), ("vi", "Hãy chọn giấy chứng nhận", "yên")],
)
def test_another_language(person: Person, language: str, title: str, why: str) -> None:
    """It is chosen at any time, and the next person begins in Japanese again."""
    person.tab.page.select_option("#languages", language)
    person.present(ALONE)
    assert title in person.told()
    assert why in person.tab.page.inner_text("#controls")
    assert [] == violations(person.tab.page)
    person.touch("kind:inkan").sees("copies").touch("next", "confirm").sees("money")
    person.touch("tap").sees("paper").touch("paper-taken").sees("more").leave()

    person.tab.page.wait_for_selector("html[lang='ja']")
    assert "メインメニュー" in person.told()


def test_prepared_on_a_phone(person: Person, browser: Browser, address: str) -> None:
    """A code from home, held before the reader, leads from card and PIN to the confirmation."""
    with tab(browser, address, viewport=NARROW) as phone:
        phone.page.goto(f"{address}prepare")
        phone.page.wait_for_selector("#kinds label")
        phone.page.check("[value='koseki-zenbu']")
        phone.page.click("#make")
        phone.page.locator("#made img").evaluate("one => one.decode()")
        assert [] == violations(phone.page)
        assert NARROW["width"] == phone.page.evaluate("document.documentElement.scrollWidth")
    person.touch("prepare").sees("prepared")
    assert [] == violations(person.tab.page)
    person.tab.page.click(".phone")
    person.sees("notice").touch("agree", f"card:{ALONE}").sees("pin")
    person.type_pin(sample_pin(ALONE)).sees("take-card").touch("card-taken").sees("confirm")
    assert "戸籍全部事項証明書" in person.told()
    person.touch("cancel").sees("goodbye").touch("home").sees("start")


def test_a_warning_before_the_third_wrong_pin(person: Person) -> None:
    """After two it is said what the third would cost, and the card comes back at a touch."""
    wrong = f"{(int(sample_pin(FORGETFUL)) + 1) % 10_000:04d}"
    person.touch("start", "agree", f"card:{FORGETFUL}").sees("pin").type_pin(wrong)
    person.tab.page.wait_for_selector("#told:has-text('あと2回')")
    person.type_pin(wrong)
    person.tab.page.wait_for_selector("#told:has-text('次に間違えると')")
    assert [] == violations(person.tab.page)
    person.touch("cancel").sees("stopped").touch("card-taken")
    person.tab.page.wait_for_selector("[data-touch='home']")
    assert "06-0000-0000" in person.told()
    person.touch("home").sees("start")


def test_jammed_paper(person: Person) -> None:
    """The money comes back, the staff is asked, and no card is taken until it is mended."""
    person.present(ALONE).touch("kind:inkan", "next", "confirm").sees("money")
    person.touch("yen:100", "yen:100").fault("jam").touch("pay").sees("stopped")
    assert "200円をお返ししました" in person.told()
    assert [] == violations(person.tab.page)
    person.touch("finish").sees("goodbye").touch("home").sees("closed")
    assert "用紙が詰まっています" in person.told()
    assert [] == violations(person.tab.page)
    person.fault("jam").sees("start")


def test_the_line_is_cut(person: Person) -> None:
    """It is said at once, on the main menu and in a visit."""
    person.fault("line").sees("closed")
    assert "市のサーバーに接続できません" in person.told()
    person.fault("line").sees("start").present(ALONE).fault("line")
    person.tab.page.wait_for_selector("#told:has-text('通信が途切れています')")
    person.fault("line").touch("cancel").sees("goodbye").touch("home").sees("start")


def test_the_plug_is_pulled(person: Person) -> None:
    """The screen is dark; afterwards the machine says that what was under way has ended."""
    person.present(ALONE).touch("kind:inkan", "next", "confirm").sees("money")
    person.fault("plug").sees("off")
    assert [] == violations(person.tab.page)
    person.fault("plug").sees("stopped")
    assert "停電" in person.told()
    person.touch("home").sees("start")


def test_controls_for_who_sits(browser: Browser, address: str) -> None:
    """All that is touched lies in the lower third."""
    with at_panel(browser, address, viewport=SEATED) as person:
        page = person.tab.page
        page.click("[data-comfort='low-reach']")
        seen = 0
        for touches, following in (
            ((), "start"),
            (("start",), "notice"),
            (("agree",), "card"),
            ((f"card:{ALONE}",), "pin"),
        ):
            person.touch(*touches).sees(following)
            tops = page.evaluate(
                "[...document.querySelectorAll('button, select')]"
                ".filter(one => one.checkVisibility()).map(one => one.getBoundingClientRect().top)"
            )
            seen += len(tops)
            assert [] == [top for top in tops if top < SEATED["height"] * 2 / 3 - 1]
        assert 20 < seen
        assert [] == violations(person.tab.page)
        person.touch("cancel").sees("stopped").touch("card-taken")
        person.touch("home").sees("start")


def test_narrow_in_every_language(browser: Browser, address: str) -> None:
    """Nothing is wider than 320 pixels, which a window of 640 is at 200 %."""
    with at_panel(browser, address, viewport=NARROW) as person:
        page = person.tab.page
        for touches, following in (
            ((), "start"),
            (("start",), "notice"),
            (("agree",), "card"),
            ((f"card:{ALONE}",), "pin"),
            ((), "take-card"),
            (("card-taken",), "kinds"),
            (("kind:juminhyo",), "options"),
            (("next", "next"), "confirm"),
            (("confirm",), "money"),
        ):
            if following == "take-card":
                person.type_pin(sample_pin(ALONE))
            person.touch(*touches).sees(following)
            for language in LANGUAGES if following in BUSIEST else ():
                page.select_option("#languages", language)
                page.wait_for_selector(f"html[data-language='{language}']")
                width = page.evaluate("document.documentElement.scrollWidth")
                assert (following, language, NARROW["width"]) == (following, language, width)
        person.touch("cancel").sees("stopped").touch("finish").sees("goodbye").touch("home")


def test_larger_and_clearer(person: Person) -> None:
    """Large text and high contrast break no rule, and are gone for the next person."""
    page = person.tab.page
    for one in ("large-text", "contrast", "calm"):
        page.click(f"[data-comfort='{one}']")
    assert [] == violations(person.tab.page)
    person.touch("start", "agree").sees("card")
    assert [] == violations(person.tab.page)
    person.touch("home").sees("start")

    page.wait_for_selector("html:not(.large-text)")


def test_light(browser: Browser, address: str) -> None:
    """The page weighs little, with its font and the words of all languages."""
    with at_panel(browser, address) as person:
        page = person.tab.page
        page.evaluate("document.fonts.ready.then(() => null)")
        weight = page.evaluate(
            "[...performance.getEntriesByType('resource'),"
            " ...performance.getEntriesByType('navigation')]"
            ".reduce((sum, one) => sum + one.decodedBodySize, 0)"
        )
        assert weight < PAGE_BYTES_MAX
        assert page.evaluate("document.fonts.check('16px \"Kiosk Sans\"')")


def test_who_is_not_the_panel_is_refused(person: Person, address: str) -> None:
    """Without the session's token, with another name, or from another site nothing is taken."""
    place = urlsplit(address)
    own = {"Origin": address.rstrip("/"), "kiosk-session": "x" * 43}
    for method, path, headers, status in (
        ("POST", "/touch", own, 401),
        ("POST", "/operator", own, 401),
        ("GET", "/screens", own, 401),
        ("GET", "/paper/1/1", own, 401),
        ("POST", "/session", {"Origin": "http://evil.example"}, 403),
        ("POST", "/session", {}, 403),
        ("GET", "/", {"Host": "evil.example"}, 421),
        ("GET", "/words/ja", {"Sec-Fetch-Site": "cross-site"}, 403),
    ):
        connection = http.client.HTTPConnection(place.hostname or "", place.port)
        connection.request(
            method, path, body=b'{"screen":"start","touch":"start"}', headers=headers
        )
        assert (path, status) == (path, connection.getresponse().status)
        connection.close()

    assert "start" == person.tab.page.get_attribute("html", "data-screen")

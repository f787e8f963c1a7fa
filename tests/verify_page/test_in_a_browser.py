"""The page in Chromium, as visitors use it: uploads, links, languages, keyboard, narrow screens."""

import base64
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Playwright, sync_playwright

from issuance_server.certificates.back.showing import ADDED_COLOUR, BOX_COLOUR
from keys.city_keys import create_city_keys
from tests.commands.test_verify import GENUINE, UNCONFIRMED, VOID
from tests.verify_page.browser import Tab, launched, tab
from tests.verify_page.scene import (
    CITY,
    Page,
    certificate,
    link_fragment,
    pictures,
    png,
    with_one_glyph_altered,
)

AXE = Path(__file__).parents[1] / "interop" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROW = {"width": 320, "height": 640}
ALTERED_LINE = "大阪府豊中市本町1丁目902番3号"


@pytest.fixture(scope="module")
def playwright(served_page: Page, genuine: bytes) -> Iterator[Playwright]:
    """Playwright; after the fixtures that need an event loop of their own."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium."""
    started = launched(playwright)
    yield started
    started.close()


@pytest.fixture
def visitor(browser: Browser, served_page: Page) -> Iterator[Tab]:
    """A Japanese visitor."""
    with tab(browser, served_page.address) as opened:
        yield opened


@pytest.fixture
def english(browser: Browser, served_page: Page) -> Iterator[Tab]:
    """An English visitor with a narrow screen."""
    with tab(browser, served_page.address, locale="en-GB", viewport=NARROW) as opened:
        yield opened


def test_a_genuine_pdf(visitor: Tab, genuine: bytes) -> None:
    """The verdict, what it rests on, and the focus on it for who does not see."""
    visitor.open()
    visitor.choose(("sheet.pdf", genuine))
    verdict = visitor.verify()

    assert "本物です" == verdict
    for fact in (
        "豊中市",
        "住民票の写し",
        GENUINE,
        "1/1",
        "令和8年（2026年）11月30日",
        "一致しました",
    ):
        assert fact in visitor.told()
    assert "verdict" == visitor.page.evaluate("document.activeElement.id")
    assert "判定が出ました：本物です" == visitor.page.locator("#live").inner_text()
    assert [f"POST {visitor.address}verify"] == [
        one for one in visitor.asked if not one.startswith("GET ")
    ]


def test_an_altered_pdf_names_the_line(visitor: Tab, genuine: bytes) -> None:
    """One glyph is enough, and the line is shown as it stands now."""
    visitor.open()
    visitor.choose(("sheet.pdf", with_one_glyph_altered(genuine)))

    assert "改ざんされています" == visitor.verify()
    assert ALTERED_LINE in visitor.page.locator(".altered").inner_text()


def test_a_picture_of_a_face_in_english(english: Tab, genuine: bytes) -> None:
    """Signature, number and status; it is said that the text was not compared."""
    english.open()
    english.choose(("face.png", png(pictures(genuine)[0])))

    assert "Genuine" == english.verify()
    assert "The text was not compared" in english.told()
    assert "Signature and number are real" in english.told()
    english.page.click("text=日本語")
    assert "本物です" == english.verdict()
    assert "ja" == english.page.evaluate("document.documentElement.lang")


def test_what_cannot_be_read_is_said_where_the_files_are(visitor: Tab) -> None:
    """The files stay chosen, so that one can be taken out; without files a sentence says so."""
    visitor.open()
    visitor.page.click("#verify")
    assert "先に、ファイルを選ぶ" in visitor.page.locator("#fault").inner_text()
    visitor.choose(("letter.pdf", b"%PDF-1.7 and no more"))
    visitor.page.click("#verify")
    visitor.page.wait_for_selector("#fault:has-text('壊れて')")
    visitor.page.click("[aria-label='letter.pdfを外す']")

    assert 0 == visitor.page.locator("#sides li").count()
    visitor.complaints.clear()  # Chromium notes every answer that is an error


def test_a_link_is_verified_without_asking_the_server(visitor: Tab, genuine: bytes) -> None:
    """No request holds the fragment or the number, until the city's record is asked for."""
    fragment = link_fragment(genuine)
    visitor.open(fragment)

    assert "署名は正しい・有効性は未確認" == visitor.verdict()
    visitor.page.wait_for_load_state("networkidle")
    before = list(visitor.asked)
    for fact in ("豊中市", "住民票の写し", GENUINE, "1/1", "令和8年（2026年）11月30日"):
        assert fact in visitor.told()
    assert "本文は照合していません" in visitor.told()
    assert not any("status" in one or "verify" in one for one in before)
    visitor.page.click("#record")
    visitor.page.wait_for_selector("#record", state="detached")
    assert "本物です" == visitor.verdict()
    (question,) = visitor.asked[len(before) :]
    assert "/status?number=20261130%20" in question
    visitor.page.click("text=本文を照合する")
    assert visitor.page.locator("#start").is_visible()
    assert "" == visitor.page.evaluate("location.hash")


def test_the_record_behind_a_link(english: Tab, city: Path) -> None:
    """The page says the same words as the verdicts of uploads."""
    signed, test = "Signature good, status not checked", "Test"
    for number, specimen, before, after in (
        (UNCONFIRMED, False, signed, "Issued, print not yet confirmed"),
        (VOID, False, signed, "Not valid"),
        (VOID, True, test, "Not valid"),
        (GENUINE, True, test, test),
    ):
        english.open(link_fragment(certificate(city / "keys", number, specimen=specimen)))
        english.page.wait_for_selector(f"text={number}")
        assert before == english.verdict()
        english.page.click("#record")
        english.page.wait_for_selector("#record", state="detached")
        assert after == english.verdict()


def test_forged_links(english: Tab, genuine: bytes, tmp_path: Path) -> None:
    """Changed claims, another key's signature, and what is no claim at all."""
    fragment = link_fragment(genuine)
    create_city_keys(tmp_path / "other", CITY, datetime.now(UTC))
    cose = bytearray(base64.b32decode(fragment + "=" * (-len(fragment) % 8)))
    cose[30] ^= 1
    for forged, verdict, why in (
        (base64.b32encode(cose).decode().rstrip("="), "Altered", "does not hold"),
        (link_fragment(certificate(tmp_path / "other", GENUINE)), "Altered", "none of this city’s"),
        (fragment[:-8], "No code of this city", "no code of a certificate"),
        (fragment.lower(), "No code of this city", "no code of a certificate"),
        ("A" * 4_000, "No code of this city", "no code of a certificate"),
    ):
        english.open(forged)
        english.page.wait_for_selector(f"#result:has-text('{why}')")
        assert (verdict, True) == (english.verdict(), why in english.told())


def test_a_browser_without_ed25519_is_offered_the_upload(
    browser: Browser, served_page: Page, genuine: bytes
) -> None:
    """The page says that it cannot tell, and not that the code is bad."""
    with tab(browser, served_page.address) as visitor:
        visitor.page.add_init_script(
            "SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('', 'x'))"
        )
        visitor.open(link_fragment(genuine))

        assert "この端末では確かめられません" == visitor.verdict()
        visitor.page.click("text=本文を照合する")
        assert visitor.page.locator("#verify").is_visible()


def test_both_sides_show_where_a_sheet_was_altered(visitor: Tab, city: Path) -> None:
    """Pictures of face and back are compared, and the difference is shown."""
    face, back = pictures(certificate(city / "keys", GENUINE, backs=True))
    ImageDraw.Draw(face).rectangle((500, 700, 560, 760), fill=0)
    visitor.open()
    visitor.choose(("face.png", png(face)), ("back.png", png(back)))

    assert "改ざんされています" == visitor.verify()
    assert "左から" in visitor.page.locator(".altered").inner_text()
    source = visitor.page.locator("figure img").get_attribute("src") or ""
    shown = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("RGB")
    assert {BOX_COLOUR, ADDED_COLOUR} <= {colour for _, colour in shown.getcolors() or []}


def test_with_the_keyboard_alone(visitor: Tab, genuine: bytes) -> None:
    """Everything is reached with Tab, seen to be reached, and done with Enter."""
    visitor.open()
    visitor.choose(("sheet.pdf", genuine))
    visitor.page.locator("#files").focus()
    reached = []
    for _ in range(4):
        reached.append(
            visitor.page.evaluate(
                "document.activeElement.id || document.activeElement.textContent.trim()"
            )
        )
        visitor.page.keyboard.press("Tab")
    assert ["files", "photograph", "外す", "verify"] == reached
    visitor.page.locator("#verify").focus()
    visitor.page.keyboard.press("Enter")
    assert "本物です" == visitor.verdict()
    visitor.page.keyboard.press("Tab")
    visitor.page.keyboard.press("Enter")
    assert visitor.page.locator("#start").is_visible()


def test_accessible(browser: Browser, served_page: Page, genuine: bytes) -> None:
    """The rules of WCAG 2.2 AA that a program can hold, at every stage of a visit."""
    with tab(browser, served_page.address, viewport=NARROW) as visitor:
        for _ in stages(visitor, genuine):
            assert [] == violations(visitor)


@pytest.mark.parametrize("locale", ["ja-JP", "en-GB"])
def test_narrow(browser: Browser, served_page: Page, genuine: bytes, locale: str) -> None:
    """Nothing is wider than 320 pixels, which a window of 640 is at 200 %."""
    with tab(browser, served_page.address, locale=locale, viewport=NARROW) as visitor:
        for stage in stages(visitor, genuine):
            assert NARROW["width"] == visitor.page.evaluate(
                "document.documentElement.scrollWidth"
            ), stage


def stages(visitor: Tab, genuine: bytes) -> Iterator[str]:
    """Lead a visitor from the start to a verdict, and to a link."""
    visitor.open()
    visitor.page.evaluate("document.querySelector('details').open = true")
    visitor.choose(("a-file-with-a-rather-long-name-for-such-a-screen.pdf", genuine))
    yield "chosen"
    visitor.verify()
    yield "verified"
    visitor.open(link_fragment(genuine))
    visitor.page.wait_for_selector("#record")
    yield "linked"


def violations(visitor: Tab) -> list[tuple[str, str]]:
    """Return what the checker finds: rules, and the elements that break them."""
    assert AXE.is_file(), "the checker is missing: cd tests/interop && npm ci"
    visitor.page.evaluate(AXE.read_text())
    found: dict[str, Any] = visitor.page.evaluate(
        "rules => axe.run({runOnly: rules, iframes: false})", RULES
    )
    return [(one["id"], node["html"]) for one in found["violations"] for node in one["nodes"]]


def test_without_script_it_says_what_to_do(browser: Browser, served_page: Page) -> None:
    """In both languages."""
    with tab(browser, served_page.address, java_script_enabled=False) as visitor:
        visitor.page.goto(visitor.address)
        told = visitor.page.locator("noscript").inner_text()

    assert "JavaScriptが必要" in told
    assert "needs JavaScript" in told


def test_the_camera_photographs_a_sheet(
    playwright: Playwright, served_page: Page, genuine: bytes, tmp_path: Path
) -> None:
    """A sheet before Chromium's own stand-in for a camera is verified like a file."""
    video = tmp_path / "sheet.mjpeg"
    frame = io.BytesIO()
    photographed(pictures(genuine)[0]).save(frame, "JPEG", quality=90)
    video.write_bytes(frame.getvalue() * 2)
    browser = launched(
        playwright,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    )
    with tab(browser, served_page.address) as visitor:
        visitor.open()
        visitor.page.click("#photograph")
        assert "おもて面" in visitor.page.locator("#aim").inner_text()
        visitor.page.wait_for_selector("#shoot:focus")
        visitor.page.click("#shoot")
        visitor.page.wait_for_selector("#sides li")
        visitor.page.click("#stop")

        assert "本物です" == visitor.verify()
        assert "本文は照合していません" in visitor.told()
    browser.close()


def photographed(face: Image.Image) -> Image.Image:
    """Lay a face on a desk under a camera of five megapixels."""
    photograph = Image.new("RGB", (2_560, 1_920), (110, 95, 80))
    height = photograph.height - 80
    sheet = face.resize((round(face.width * height / face.height), height))
    photograph.paste(sheet, ((photograph.width - sheet.width) // 2, 40))
    return photograph


def test_without_a_camera_files_are_asked_for(visitor: Tab) -> None:
    """Chromium without a camera refuses, and the page says what to do."""
    visitor.open()
    visitor.page.click("#photograph")

    visitor.page.wait_for_selector("#fault:not([hidden])")
    assert "カメラを使えません" in visitor.page.locator("#fault").inner_text()

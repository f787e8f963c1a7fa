"""Card reader, coin box and printer, with real cards, files and documents."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from keys.cards import CardFile
from keys.jpki import JpkiAuthority
from keys.mynumber_card import MyNumberCard
from keys.pin_sealing import PinOpener, PinSealer
from protocol import codec
from protocol.codes import ReplyCode
from protocol.errors import AdapterError, Misuse, SealError, SetUpError
from protocol.page_digest import page_digests
from protocol.secret import Secret
from protocol.sheet_digest import sheet_digests
from protocol.statements import (
    card_proof,
    certificate_proof,
    certificate_signature_holds,
    pin_block_info,
    signature_holds,
)
from protocol.telegrams import Authenticate, AuthenticateCertificate, Refused
from terminal_sim.core.requests import Authentication
from terminal_sim.devices import CardReader, CoinBox, Printer
from tests.terminal_sim.paper_city import document
from tests.terminal_sim.world import number

ISSUANCE = number(1)


def test_the_reader_binds_card_and_pin_to_the_attempt(tmp_path: Path) -> None:
    """Signature and PIN block open for this attempt and for no other."""
    card, opener = CardFile.create(tmp_path / "card", holder="見本"), PinOpener.generate()
    reader = CardReader(
        card=card, sealer=PinSealer(opener.public_key), terminal="7-0001", city="272035"
    )
    asked = Authentication(visit_id=number(1), attempt=2, challenge=bytes(32))
    bound = {
        "challenge": bytes(32),
        "visit_id": number(1),
        "attempt": 2,
        "terminal": "7-0001",
        "city": "272035",
        "card": card.number,
    }
    sent = reader.authenticate(asked, Secret(b"1234"))

    assert isinstance(sent, Authenticate)
    assert signature_holds(card.public_key, sent.card_signature, card_proof(**bound))
    assert Secret(b"1234") == opener.open(sent.pin_block, pin_block_info(**bound))
    with pytest.raises(SealError):
        opener.open(sent.pin_block, pin_block_info(**{**bound, "attempt": 3}))


def test_card_that_judges_its_pin_is_told_it_and_nobody_else(tmp_path: Path) -> None:
    """The card says how many tries are left; what is sent holds its proof and no PIN."""
    now = datetime.now(UTC)
    authority = JpkiAuthority.create(tmp_path / "jpki", now)
    card = MyNumberCard.create(
        tmp_path / "card",
        holder="見本",
        pin=Secret(b"493817260584"),
        certify=lambda key: authority.issue(key, now=now),
    )
    sealer = PinSealer(PinOpener.generate().public_key)
    reader = CardReader(card=card, sealer=sealer, terminal="7-0001", city="272035")
    wrong = [reader.show_pin(Secret(b"111122223333")) for _ in range(2)]
    assert reader.show_pin(Secret(b"493817260584")) is None
    asked = Authentication(visit_id=number(1), attempt=1, challenge=bytes(32))
    sent = reader.authenticate(asked, None)

    assert reader.card_judges
    assert [Refused(code=ReplyCode.PIN_WRONG, tries_left=left) for left in (2, 1)] == wrong
    assert isinstance(sent, AuthenticateCertificate)
    assert b"493817260584" not in codec.encode(sent)
    key = x509.load_der_x509_certificate(sent.certificate).public_key()
    assert isinstance(key, EllipticCurvePublicKey)
    proof = certificate_proof(
        challenge=bytes(32),
        visit_id=number(1),
        attempt=1,
        terminal="7-0001",
        city="272035",
        certificate=card.certificate,
    )
    assert certificate_signature_holds(key, sent.card_signature, proof)
    for _ in range(3):
        locked = reader.show_pin(Secret(b"111122223333"))
    assert Refused(code=ReplyCode.CARD_LOCKED, tries_left=0) == locked


def test_coins_go_one_way(tmp_path: Path) -> None:
    """Held, changed, earned; a second move is none, the other way is refused."""
    box = CoinBox(tmp_path)
    box.insert(ISSUANCE, 1_000)
    box.hold(ISSUANCE, 300)
    box.hold(ISSUANCE, 300)
    assert (300, 0, 0) == box.totals_yen()

    box.earn(ISSUANCE)
    box.earn(ISSUANCE)
    assert (0, 300, 0) == box.totals_yen()
    with pytest.raises(Misuse):
        box.give_back(ISSUANCE)


def test_coins_outlive_the_process(tmp_path: Path) -> None:
    """The hopper keeps what was in it, and gives it back once."""
    box = CoinBox(tmp_path)
    box.insert(ISSUANCE, 300)
    box.close()
    again = CoinBox(tmp_path)
    again.give_back(ISSUANCE)
    again.give_back(ISSUANCE)

    assert (0, 0, 300) == again.totals_yen()


def test_coins_of_nobody_come_back(tmp_path: Path) -> None:
    """All but those whose fate is decided otherwise."""
    box = CoinBox(tmp_path)
    box.insert(number(1), 100)
    box.insert(number(2), 200)
    box.give_back_others(frozenset({number(2)}))

    assert (200, 0, 100) == box.totals_yen()


def test_giving_back_what_was_never_put_in_does_nothing(tmp_path: Path) -> None:
    """A decision may be carried out after its coins were returned otherwise."""
    box = CoinBox(tmp_path)
    box.give_back(ISSUANCE)

    assert (0, 0, 0) == box.totals_yen()


def test_a_box_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    """At the start it is a matter of set-up, later of the device."""
    (tmp_path / "coin-box.sqlite").write_bytes(b"something else" * 100)
    with pytest.raises(SetUpError):
        CoinBox(tmp_path)
    (tmp_path / "other").mkdir()
    box = CoinBox(tmp_path / "other")
    box.insert(ISSUANCE, 1)

    with pytest.raises(AdapterError):
        box.insert(ISSUANCE, 1)


def test_the_tray_holds_the_first_sheets_and_in_the_end_the_document(tmp_path: Path) -> None:
    """Each step is a document of its own, of pages with the same digests."""
    pdf, printer = document(3), Printer(tmp_path / "tray")
    printer.make_ready()
    for sheet in (1, 2, 3):
        printer.lay(ISSUANCE, pdf, sheet=sheet, sheets=3)
        laid = printer.paper(ISSUANCE).read_bytes()
        assert page_digests(pdf)[:sheet] == page_digests(laid)

    assert pdf == laid
    assert [printer.paper(ISSUANCE)] == list((tmp_path / "tray").iterdir())
    with pikepdf.open(io.BytesIO(laid)) as opened:
        assert 3 == len(opened.pages)


def test_a_sheet_leaves_with_both_its_sides(tmp_path: Path) -> None:
    """Of a document with backs the tray holds face and back of each sheet that is out."""
    pdf, printer = document(4), Printer(tmp_path)
    for sheet, pages in ((1, 2), (2, 4)):
        printer.lay(ISSUANCE, pdf, sheet=sheet, sheets=2)
        laid = printer.paper(ISSUANCE).read_bytes()
        assert page_digests(pdf)[:pages] == page_digests(laid)
        assert sheet_digests(pdf, 2)[:sheet] == sheet_digests(laid, sheet)

    assert pdf == laid
    with pytest.raises(OSError, match="apart"):
        printer.lay(ISSUANCE, pdf, sheet=1, sheets=3)


def test_what_cannot_be_printed_is_a_fault_of_the_printer(tmp_path: Path) -> None:
    """No tray, or a document that has no such page."""
    (tmp_path / "tray").write_text("")
    with pytest.raises(OSError, match="exists"):
        Printer(tmp_path / "tray").make_ready()

    with pytest.raises(OSError, match="apart"):
        Printer(tmp_path).lay(ISSUANCE, b"no document", sheet=1, sheets=2)

"""Whole issuances with real processes, and what they leave behind."""

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest

from issuance_server.desk_commands.sample_mynumber import mynumber_pin
from issuance_server.desk_commands.set_up import card_holders, sample_pin
from issuance_server.sample.residents import sample_households
from keys.cards import CardFile
from keys.jpki import JpkiAuthority
from tests.processes.town import Town, wait_until

pytestmark = pytest.mark.processes

FAMILY = "h000-m1"
ALONE = "h001-m1"
CERTIFIED = "この写しは、世帯全員の住民票の原本と相違ないことを証明する。"


def _text(path: str) -> str:
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
    return done.stdout.decode()


def test_a_household_of_five_gets_two_sheets_with_embedded_fonts(town: Town) -> None:
    """The paper opens in poppler, shows correct Japanese, and every font is embedded."""
    assert shutil.which("pdffonts"), "poppler-utils is missing; make test installs it"
    town.start()

    terminal = town.issue("LW-0001", FAMILY, "--option", "scope=household")

    assert terminal.wait() == 0, terminal.said
    paper = str(next(town.paper.glob("*.pdf")))
    pages = _text(paper).split("\f")[:-1]
    assert len(pages) == 4, "two sheets with two sides"
    sheets, backs = pages[::2], pages[1::2]
    household = sample_households()[0]
    text = "".join("".join(sheets).split())
    assert all("".join(member.name.split()) in text for member in household.members)
    assert [CERTIFIED in "".join(sheet.split()) for sheet in sheets] == [False, True]
    for side in (sheets, backs):
        assert ["1/2" in side[0], "2/2" in side[1]] == [True, True]
    fonts = subprocess.run(["pdffonts", paper], capture_output=True, check=True, text=True)
    rows = [line.split() for line in fonts.stdout.splitlines()[2:]]
    assert rows
    assert all(row[-5] == "yes" and row[-4] == "yes" for row in rows), fonts.stdout


def test_what_was_printed_verifies_with_both_its_sides(town: Town) -> None:
    """The city's own command reads text and backs; an exchanged back is altered."""
    town.start()
    terminal = town.issue("LW-0001", FAMILY, "--option", "scope=household")
    assert terminal.wait() == 0, terminal.said
    assert 2 == terminal.result["sheets"]
    paper = next(town.paper.glob("*.pdf"))

    told = json.loads(town.city("verify", str(paper), "--json").stdout)
    assert ("test", [], 2) == (told["verdict"], told["missing"], len(told["sheets"]))
    for sheet in told["sheets"]:
        assert ("printed", True, None) == tuple(
            sheet[key] for key in ("status", "text_compared", "problem")
        )
    with pikepdf.open(paper, allow_overwriting_input=True) as document:
        first, second = document.pages[1].obj, document.pages[3].obj
        first.Contents, second.Contents = second.Contents, first.Contents
        document.save(paper)
    exchanged = town.city("verify", str(paper))
    assert (1, "altered") == (exchanged.returncode, exchanged.stdout.splitlines()[-1])
    assert "not that of this sheet" in exchanged.stderr


def test_the_life_is_told_with_times_and_the_audit_record_holds(town: Town) -> None:
    """``issuance show`` has every step in order; ``audit verify`` holds, online and off."""
    town.start()
    assert town.issue("7E-0001", ALONE).wait() == 0
    (row,) = town.issuances()

    life = town.city("issuance", "show", row["issuance"])

    steps = [line.split()[4] for line in life.stdout.splitlines()[1:]]
    assert "visit-ended" in steps
    assert [step for step in steps if step != "visit-ended"] == [
        "visit-begun",
        "challenge-issued",
        "attempt-made",
        "attempt-judged",
        "issuance-applied",
        "issuance-quoted",
        "ciphertext-held",
        "issuance-released",
        "print-reported",
        "deletion-reported",
        "key-destroyed",
    ]
    assert (row["state"], row["fee"], row["deletion_confirmed"]) == ("completed", "earned", True)
    assert town.city("audit", "verify").returncode == 0
    assert town.server is not None
    assert town.server.stop() == 0
    offline = town.city("audit", "verify")
    assert (offline.returncode, offline.stderr) == (0, "")


def test_nothing_secret_or_personal_is_in_logs_broker_spool_or_database(town: Town) -> None:
    """After an issuance: no name, PIN, card number or body where it must not be."""
    town.start()
    terminal = town.issue("7E-0001", FAMILY, "--option", "scope=household", "--verbose")
    assert terminal.wait() == 0
    assert town.server is not None
    town.server.stop()
    household = sample_households()[0]
    number = CardFile.load(town.folder / "cards" / f"{FAMILY}.card.json").number
    names = [member.name for member in household.members]
    personal = [text.encode() for text in (*names, household.address)]
    secret = [number, number.hex().encode(), b"%PDF", CERTIFIED.encode()]
    log = town.log_text.encode()

    assert [word for word in (*personal, *secret) if word in log] == []
    assert sample_pin(FAMILY) not in "".join(
        line.split('"ts":"', 1)[-1].split('"', 1)[-1] for line in town.log_text.splitlines()
    )
    storage = (town.folder / "terminals" / "7E-0001" / "storage").rglob("*")
    spooled = b"".join(path.read_bytes() for path in storage if path.is_file())
    assert [word for word in (*personal, *secret) if word in spooled] == []
    stored = b"".join(p.read_bytes() for p in (town.folder / "data").iterdir() if p.is_file())
    assert [word for word in secret if word in stored] == []
    assert not list((town.folder / "terminals" / "7E-0001").rglob("*.sealed"))


def test_three_wrong_pins_lock_everywhere_until_two_operators_unlock(town: Town) -> None:
    """The lock holds at another terminal, and only an act that two signed lifts it."""
    town.start()
    right = sample_pin(ALONE)
    wrong = tuple(f"{(int(right) + step) % 10_000:04d}" for step in (1, 2, 3))

    assert town.issue("7E-0001", ALONE, pins=wrong).wait() == 3
    elsewhere = town.issue("LW-0001", ALONE)
    assert elsewhere.wait() == 3
    assert elsewhere.result["refusal"]["name"] == "CARD_LOCKED"
    (locked,) = json.loads(town.city("card", "list", "--locked", "--json").stdout)
    card_ref = locked["card_ref"]
    words = (
        *("card", "unlock", card_ref, "--operator", "mado-1"),
        *("--second-operator", "mado-2", "--passphrase-stdin"),
    )
    refused = town.city(*words, "--reason", "test", typed="toyonaka-sample\nnot-the-passphrase\n")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    done = town.city(*words, "--reason", "proof of identity", typed="toyonaka-sample\n" * 2)
    assert done.returncode == 0, done.stderr
    assert town.issue("LW-0001", ALONE).wait() == 0
    (unlocked,) = town.events("card.unlocked")
    assert ("mado-1", "mado-2", "proof of identity") == (
        unlocked["operator"],
        unlocked["second"],
        unlocked["reason"],
    )


def test_card_that_judges_its_pin(town: Town) -> None:
    """It issues; it locks itself at any terminal; a list whose time is over stops all of them."""
    town.start()
    name, other = (f"{one}.mynumber" for one in ("h000-m1", "h003-m1"))
    issued = town.issue("7E-0001", name, pins=(mynumber_pin(name),))
    assert issued.wait() == 0, issued.said
    wrong = tuple(f"{(int(mynumber_pin(other)) + step) % 10_000:04d}" for step in (1, 2, 3))
    locked = town.issue("LW-0001", other, pins=wrong)
    assert locked.wait() == 3
    elsewhere = town.issue("7E-0001", other, pins=(mynumber_pin(other),))
    assert elsewhere.wait() == 3
    assert {"CARD_LOCKED"} == {one.result["refusal"]["name"] for one in (locked, elsewhere)}
    assert not town.events("pin.wrong"), "the city hears nothing of a wrong PIN"

    long_ago = datetime.now(UTC) - timedelta(days=3)
    authority = JpkiAuthority.load(town.folder / "jpki")
    authority.publish(town.folder / "keys" / "trust" / "jpki", long_ago, days=1)
    refused = town.issue("7E-0001", name, pins=(mynumber_pin(name),))
    assert refused.wait() == 3
    assert refused.result["refusal"]["name"] == "CERTIFICATE_NOT_CHECKABLE"
    assert 1 == len(town.events("card.certificate_not_checkable"))


def test_outside_the_hours_nothing_starts(town: Town) -> None:
    """At half past eleven at night the visit is refused before any PIN is typed."""
    town.start("--clock", "2026-11-30T23:30:00")

    terminal = town.issue("7E-0001", ALONE)

    assert terminal.wait() == 3
    assert terminal.result["refusal"]["name"] == "OUT_OF_HOURS"
    assert town.events("pin.right") == []


def test_stopping_lets_what_is_under_way_finish(town: Town) -> None:
    """予備閉局: SIGTERM in the middle of an issuance; the paper still comes out."""
    server = town.start()
    terminal = town.issue("LW-0001", FAMILY, "--option", "scope=household")
    wait_until(lambda: bool(town.events("issuance.quoted")), "the issuance is quoted")

    status = server.stop()

    assert status == 0
    assert terminal.wait() == 0, terminal.said
    assert [row["state"] for row in town.issuances()] == ["completed"]


def test_every_card_of_the_sample_has_its_holder_and_pin_in_the_readme(town: Town) -> None:
    """The README lists each card file that exists, and no other."""
    listed = (town.folder / "README.md").read_text()

    names = [name for name, _ in card_holders(sample_households())]
    files = {path.name for path in (town.folder / "cards").iterdir()}
    assert {f"{name}.card.json" for name in names} == {
        name for name in files if not name.endswith(".mynumber.card.json")
    }
    assert files == {row.split(" | ")[0] for row in listed.split("| cards/")[1:]}
    assert all(f"{name}.card.json | {sample_pin(name)} |" in listed for name in names)

"""The scenes of the demonstration, each with what must come of it."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from issuance_server.demo.stage import ISSUANCE_SERVER, Seen, Visit, run_visits, serving
from issuance_server.desk_commands.set_up import OPERATOR_PASSPHRASE, OPERATORS, sample_pin

EXIT_PAPER_OUT = 0
EXIT_REFUSED = 3
AFTER_HOURS = "2026-11-30T23:30:00"

FAMILY, ALONE, FORGETFUL, GUESSED = "h000-m1", "h001-m1", "h003-m1", "h004-m1"
SEVEN_ELEVEN, LAWSON, FAMILY_MART = "7E-0001", "LW-0001", "FM-0001"


@dataclass(slots=True)
class Play:
    """Runs scenes on a city folder and remembers what was not as it must be."""

    folder: Path
    faults: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        """Announce a scene."""
        sys.stdout.write(f"\n== {text}\n")
        sys.stdout.flush()

    def visits(self, *visits: Visit) -> list[Seen]:
        """Run visits at the same time."""
        return run_visits(self.folder, visits, sys.stdout)

    def expect(self, what: str, *, holds: bool) -> None:
        """Say whether something is as it must be."""
        sys.stdout.write(f"  {'✓' if holds else '✗ NOT'} {what}\n")
        if not holds:
            self.faults.append(what)

    def server_command(self, *words: str, typed: str = "") -> str:
        """Run a command of the city and show what it prints."""
        command = [*ISSUANCE_SERVER, *words, "--config", str(self.folder / "server.toml")]
        done = subprocess.run(  # noqa: S603  # our own program
            command, input=typed, capture_output=True, text=True, check=False
        )
        text = done.stdout + done.stderr
        sys.stdout.write("".join(f"    {line}\n" for line in text.splitlines()))
        return text


def wrong_pins(card: str, count: int) -> tuple[str, ...]:
    """Return PINs that are not the card's."""
    right = int(sample_pin(card))
    return tuple(f"{(right + step) % 10_000:04d}" for step in range(1, count + 1))


def one_person(play: Play) -> None:
    """A certificate for one person."""
    play.title("One person, one sheet: 住民票の写し at a Seven-Eleven")
    pin = sample_pin(ALONE)
    (seen,) = play.visits(Visit(terminal=SEVEN_ELEVEN, card=ALONE, pins=(pin,)))
    play.expect("the paper is out and its deletion confirmed", holds=_issued(seen, sheets=1))


def household_of_five(play: Play) -> None:
    """A certificate for a household of five: two sheets."""
    play.title("A household of five, two sheets, with 続柄 and 本籍: at a Lawson")
    options = (
        *("--option", "scope=household"),
        *("--option", "items=relationship,domicile"),
    )
    visit = Visit(terminal=LAWSON, card=FAMILY, pins=(sample_pin(FAMILY),), options=options)
    (seen,) = play.visits(visit)
    play.expect("both sheets are out and their deletion confirmed", holds=_issued(seen, sheets=2))


def two_wrong_then_right(play: Play) -> None:
    """Two wrong PINs, then the right one."""
    play.title("Two wrong PINs, then the right one: at a FamilyMart")
    pins = (*wrong_pins(FORGETFUL, 2), sample_pin(FORGETFUL))
    (seen,) = play.visits(Visit(terminal=FAMILY_MART, card=FORGETFUL, pins=pins))
    play.expect("the third try succeeded, and all tries are back", holds=_issued(seen, sheets=1))


def three_wrong_lock(play: Play) -> None:
    """Three wrong PINs lock the card, at every terminal; two operators unlock it."""
    play.title("Three wrong PINs lock the card: at a Seven-Eleven")
    pins = wrong_pins(GUESSED, 3)
    (seen,) = play.visits(Visit(terminal=SEVEN_ELEVEN, card=GUESSED, pins=pins))
    play.expect("the card is locked", holds=_refused(seen, "CARD_LOCKED"))
    play.title("The right PIN, at another store: refused")
    right = Visit(terminal=LAWSON, card=GUESSED, pins=(sample_pin(GUESSED),))
    (seen,) = play.visits(right)
    play.expect("the lock holds everywhere", holds=_refused(seen, "CARD_LOCKED"))
    play.title("At the counter, two operators unlock it with a reason; it works again")
    listed = play.server_command("card", "list", "--locked")
    card_ref = next((w for w in listed.split() if w.startswith("card-")), "")
    play.server_command(
        *("card", "unlock", card_ref, "--operator", OPERATORS[0]),
        *("--second-operator", OPERATORS[1]),
        *("--reason", "the holder came with proof of identity", "--passphrase-stdin"),
        typed=f"{OPERATOR_PASSPHRASE}\n" * 2,
    )
    (seen,) = play.visits(right)
    play.expect("the card can be used again", holds=_issued(seen, sheets=1))


def same_moment(play: Play) -> None:
    """Three people at three stores in the same moment: each gets their own paper."""
    play.title("Three people in three stores in the same moment")
    cards = ("h005-m1", "h006-m1", "h007-m1")
    places = (SEVEN_ELEVEN, LAWSON, FAMILY_MART)
    seen = play.visits(
        *(
            Visit(terminal=place, card=card, pins=(sample_pin(card),))
            for place, card in zip(places, cards, strict=True)
        )
    )
    play.expect("each has their own paper", holds=all(_issued(one, sheets=1) for one in seen))


def after_hours(play: Play) -> None:
    """Outside the service hours nothing starts."""
    play.title("Half past eleven at night (the business clock is set to it): refused")
    visit = Visit(terminal=SEVEN_ELEVEN, card=ALONE, pins=(sample_pin(ALONE),))
    (seen,) = play.visits(visit)
    play.expect("the service is closed, and says so", holds=_refused(seen, "OUT_OF_HOURS"))


DAYTIME: tuple[Callable[[Play], None], ...] = (
    one_person,
    household_of_five,
    two_wrong_then_right,
    three_wrong_lock,
    same_moment,
)


def play_all(folder: Path) -> list[str]:
    """Run every scene and print the table of issuances; return what was not as it must be."""
    play = Play(folder)
    with serving(folder):
        for scene in DAYTIME:
            scene(play)
    with serving(folder, "--clock", AFTER_HOURS):
        after_hours(play)
        play.title("All issuances")
        play.server_command("issuance", "list")
        audit = play.server_command("audit", "verify")
        play.expect("the audit record holds", holds="holds:" in audit)
    papers = sorted((folder / "paper").glob("*.pdf"))
    play.title("The paper")
    sys.stdout.write("".join(f"    {paper}\n" for paper in papers))
    return play.faults


def _issued(seen: Seen, *, sheets: int) -> bool:
    confirmed = seen.result.get("deletion_confirmed") is True
    return seen.exit_status == EXIT_PAPER_OUT and confirmed and seen.result["sheets"] == sheets


def _refused(seen: Seen, name: str) -> bool:
    refusal = seen.result.get("refusal") or {}
    return seen.exit_status == EXIT_REFUSED and refusal.get("name") == name

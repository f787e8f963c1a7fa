"""A sample city whose people, PINs and cards are canaries: long, unusual, and in nobody's way."""

import hashlib
import shutil
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from issuance_server.core.register import HEAD, Household, Resident, Sex
from issuance_server.desk_commands import sample_mynumber, set_up
from issuance_server.sample.drafts import Family, Person, my_number_check_digit, settled
from issuance_server.sample.stores import sample_terminals
from keys.cards import CardFile, load_card
from tests.leaks.canaries import Canary

TERMINALS = ("7E-0001", "7E-0002", "LW-0001", "LW-0002")
KANJI, SECOND, LATIN, HALF_WIDTH = "h000-m1", "h000-m2", "h001-m1", "h002-m1"
"""Card files: the head of a household of five and a member of it, and two who live alone."""
CERTIFIED = "h000-m1.mynumber"
"""The same head's card that judges its PIN itself."""
WRONG_PIN = "606173942851"
SLIP = "60617394285I"
"""What somebody types who takes a letter for a digit; a refusal must not repeat it."""
PASSPHRASE = "vogelbauer-schluesselbund"
"""Of the operators."""
PIN_DIGITS = 12

_SURNAME = ("禽籠院", "きんろういん")
_GIVEN = (
    ("金糸雀丸", "かなりやまる", Sex.MALE, HEAD),
    ("鸚鵡之上", "おうむのうえ", Sex.FEMALE, "妻"),
    ("翡翠乃介", "かわせみのすけ", Sex.MALE, "子"),
    ("鶺鴒乃姫", "せきれいのひめ", Sex.FEMALE, "子"),
    ("雲雀野丞", "ひばりののじょう", Sex.MALE, "子"),
)
_STREET = "大阪府豊中市囀鳥籠町7丁目987番65号　百千鳥荘"
_BEFORE = "京都府京都市左京区鳳凰巣町3番地の21"
_ALONE = (
    ("KANARIENVOGEL　ZWITSCHERLING", "よいこえのとり　さえずりのきみ"),
    ("ｳﾀｳｶﾅﾘﾔ　ﾄﾋﾞﾀﾂﾄﾘ", "ほおじろのうた　めじろのまい"),
)


def households() -> tuple[Household, ...]:
    """Return the canaries' register."""
    family = Family(
        address=_STREET,
        since=date(2009, 2, 27),
        people=tuple(
            Person(
                name=f"{_SURNAME[0]}　{name}",
                kana=f"{_SURNAME[1]}　{kana}",
                birth=date(1971 + 4 * place, 3 + place, 13 + place),
                sex=sex,
                relationship=relationship,
                from_elsewhere=_BEFORE if place == 0 else None,
            )
            for place, (name, kana, sex, relationship) in enumerate(_GIVEN)
        ),
    )
    alone = (
        Family(
            address=_STREET,
            since=date(2011, 9, 23),
            people=(
                Person(
                    name=name,
                    kana=kana,
                    birth=date(1968, 10, 17 + place),
                    sex=Sex.FEMALE,
                    relationship=HEAD,
                ),
            ),
        )
        for place, (name, kana) in enumerate(_ALONE)
    )
    return tuple(
        replace(household, members=tuple(map(_with_my_number, household.members)))
        for household in settled((family, *alone))
    )


def _with_my_number(resident: Resident) -> Resident:
    """Give a number that nobody can have, for its check digit is wrong."""
    digits = pin(f"My Number of {resident.resident_id}")[:-1]
    return replace(resident, my_number=f"{digits}{(my_number_check_digit(digits) + 1) % 10}")


def pin(card: str) -> str:
    """Return the PIN of a card file."""
    digits = int.from_bytes(hashlib.sha256(f"aviary {card}".encode()).digest(), "big")
    return str(digits)[:PIN_DIGITS]


def found(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make the city, and keep of its terminals what is needed."""
    few = tuple(one for one in sample_terminals() if one.terminal_id in TERMINALS)
    patch.setattr(set_up, "sample_households", households)
    patch.setattr(set_up, "sample_pin", pin)
    patch.setattr(set_up, "mynumber_pin", pin)
    patch.setattr(sample_mynumber, "mynumber_pin", pin)
    patch.setattr(set_up, "OPERATOR_PASSPHRASE", PASSPHRASE)
    patch.setattr(set_up, "sample_terminals", lambda: few)
    shutil.rmtree(folder, ignore_errors=True)
    set_up.init(folder, sample="toyonaka")


def typed() -> list[Canary]:
    """Return what people typed, rightly and wrongly: PINs, and an operator's passphrase."""
    cards = (KANJI, SECOND, LATIN, HALF_WIDTH, CERTIFIED)
    right = [Canary(name=f"PIN of {card}", text=pin(card)) for card in cards]
    return [
        *right,
        Canary(name="wrong PIN", text=WRONG_PIN),
        Canary(name="slip", text=SLIP),
        Canary(name="passphrase", text=PASSPHRASE),
    ]


def card_numbers(folder: Path) -> list[Canary]:
    """Return the numbers of the cards; of one with a certificate, the certificate's signature."""
    cards = {path.name: load_card(path) for path in sorted((folder / "cards").iterdir())}
    return [
        Canary(
            name=f"number of {name}",
            octets=card.number if isinstance(card, CardFile) else card.certificate[-32:],
        )
        for name, card in cards.items()
    ]


def personal() -> list[Canary]:
    """Return what the register says about people, in the pieces in which it could be found."""
    found: dict[str, str] = {"street": "囀鳥籠町", "building": "百千鳥荘", "before": "鳳凰巣町"}
    for household in households():
        for member in household.members:
            for what in ("name", "kana"):
                family, given = getattr(member, what).split("　")
                found |= {f"{what} {family}": family, f"{what} {given}": given}
            found[f"My Number of {member.name}"] = member.my_number or ""
            found[f"birthday of {member.name}"] = member.birth.text
            if member.birth.on is not None:
                found[f"day of birth of {member.name}"] = member.birth.on.isoformat()
    return [Canary(name=name, text=text) for name, text in found.items()]


def identifiers() -> list[Canary]:
    """Return 宛名番号 and 世帯番号: the city's database lives by them, nobody else has them."""
    return [
        Canary(name=f"number {number}", text=number)
        for household in households()
        for number in (household.household_id, *(m.resident_id for m in household.members))
    ]


CERTIFICATE = Canary(name="readable certificate", octets=b"%PDF-")

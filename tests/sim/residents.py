"""Who lives in a world's city: the sample's people, or others who differ in all that is secret.

A world's dice decide how many have a card, whose it is, and when a PIN is wrong. Which names, days,
numbers and PINs these people have may come from a second seed. It decides nothing else: every other
draw of the world stays what it was, so that two worlds with one seed and other people can be
compared (``noninterference``).

What the rules of the city ask for is no secret in here and stays: how many live together and in
which relationship, who is of age, and which of two numbers is the smaller one.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

import msgspec

from issuance_server.certificates.dates import registered
from issuance_server.core.register import Household, RegisterDate, Resident, Sex, check_digit
from issuance_server.sample.residents import sample_households
from keys.pin_sealing import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from protocol.secret import Secret

ADULT_BEFORE_YEAR = 2005
HOUSEHOLDS_FIRST = 60
"""From here on the sample's households are ordinary ones."""
HOUSEHOLDS = 8
PINS_DRAWN = 10_000
"""A wrong PIN is one of so many numbers; the card's own is one of them, too."""

_OF_AGE_UNTIL = date(2011, 11, 20)
"""Who is born until then is fifteen in every world (``core.rules``: age_min_years)."""
_UNDER_AGE_FROM = date(2011, 12, 10)
_BORN_LAST = date(2020, 1, 1)
_RESIDENT_FIRST, _HOUSEHOLD_FIRST = 2_000_001, 7_000_001
_SERIAL_STEP_MAX = 400
_ADDRESS_LETTERS = (4, 40)
"""At least and at most, behind the city's name; longer ones do not fit on a sheet of a world."""
_NAME_LETTERS_MAX = 12
_WRITING = "見本架空例示仮名試作模擬標本想定雛形説明文字桒原渡邉齋藤麗鬱一二三山川"
_KANA = "みほんかくうれいじりなしさくもぎひょうたがそのうてら"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCard:
    """A card as the dice drew it.

    Attributes:
        number: card number, 16 bytes.
        key: what the chip signs with, 32 bytes.
        lucky: which number of ``PINS_DRAWN`` is the right PIN.
        salt: of the verifier.
        card_ref: the judge's name for the card.
    """

    number: bytes
    key: bytes
    lucky: int
    salt: bytes
    card_ref: str


class SampleResidents:
    """People of the sample city, with cards as they are drawn.

    Attributes:
        households: all of them.
    """

    def __init__(self) -> None:
        self.households = _ordinary()

    @property
    def adults(self) -> tuple[str, ...]:
        """Return who may have a card, in the order of the register."""
        return tuple(
            self.households[at].members[place].resident_id
            for at, household in enumerate(_ordinary())
            for place, member in enumerate(household.members)
            if member.birth.on is not None and member.birth.on.year < ADULT_BEFORE_YEAR
        )

    def household_of(self, resident_id: str) -> Household:
        """Return somebody's household, as it begins."""
        return next(
            household
            for household in self.households
            if any(member.resident_id == resident_id for member in household.members)
        )

    def cards(self, drawn: list[DrawnCard]) -> list[DrawnCard]:
        """Return what these people have in the place of the cards that were drawn."""
        return drawn

    def pin(self, card: DrawnCard, number: int) -> Secret:
        """Return what somebody types for a number that was drawn: right for the lucky one only."""
        return Secret(f"{number:04}".encode())


class OtherResidents(SampleResidents):
    """People who differ from them in everything that is nobody's business."""

    def __init__(self, people_seed: int) -> None:
        """Draw them.

        Args:
            people_seed: decides on who they are, and on nothing else.
        """
        self._seed = people_seed
        dice = random.Random(f"people {people_seed}")
        self.households = _others(dice)
        self._card_dice = random.Random(dice.random())

    def cards(self, drawn: list[DrawnCard]) -> list[DrawnCard]:
        """Return other cards.

        What the judge draws for a card, its salt and its reference, the world's dice have drawn:
        it says nothing about anybody as long as nothing but dice decide on it.
        """
        draw = self._card_dice.randbytes
        return [
            replace(card, number=draw(len(card.number)), key=draw(len(card.key))) for card in drawn
        ]

    def pin(self, card: DrawnCard, number: int) -> Secret:
        """Return digits: for each card and number others, and as many as there may be."""
        right = self._digits(card, card.lucky)
        if number == card.lucky:
            return Secret(right.encode())
        wrong = self._digits(card, number)
        if wrong == right:
            wrong = f"{(int(wrong[0]) + 1) % 10}{wrong[1:]}"
        return Secret(wrong.encode())

    def _digits(self, card: DrawnCard, number: int) -> str:
        dice = random.Random(f"PIN {self._seed} {card.number.hex()} {number}")
        return "".join(dice.choices("0123456789", k=dice.randint(PIN_DIGITS_MIN, PIN_DIGITS_MAX)))


def residents(people_seed: int | None) -> SampleResidents:
    """Return the people of a world.

    Args:
        people_seed: who they are; None: the sample's.
    """
    return SampleResidents() if people_seed is None else OtherResidents(people_seed)


@cache
def _ordinary() -> tuple[Household, ...]:
    return sample_households()[HOUSEHOLDS_FIRST : HOUSEHOLDS_FIRST + HOUSEHOLDS]


def _others(dice: random.Random) -> tuple[Household, ...]:
    """Return households of the same form. Numbers rise where they rose."""
    ordinary = _ordinary()
    known = sorted(member.resident_id for one in ordinary for member in one.members)
    resident_for = dict(zip(known, _numbers(dice, _RESIDENT_FIRST), strict=False))
    known = sorted(one.household_id for one in ordinary)
    household_for = dict(zip(known, _numbers(dice, _HOUSEHOLD_FIRST), strict=False))
    return tuple(
        Household(
            household_id=household_for[one.household_id],
            address=f"大阪府豊中市{_word(dice, _WRITING, *_ADDRESS_LETTERS)}",
            head_id=resident_for[one.head_id],
            members=tuple(
                _other(dice, member, resident_for, household_for) for member in one.members
            ),
        )
        for one in ordinary
    )


def _other(
    dice: random.Random,
    member: Resident,
    resident_for: dict[str, str],
    household_for: dict[str, str],
) -> Resident:
    """Return somebody else in the same place."""
    day = _day(dice, date(1990, 1, 1), date(2026, 1, 1))
    return msgspec.structs.replace(
        member,
        resident_id=resident_for[member.resident_id],
        household_id=household_for[member.household_id],
        name=f"{_word(dice, _WRITING)}　{_word(dice, _WRITING)}",
        kana=f"{_word(dice, _KANA)}　{_word(dice, _KANA)}",
        birth=_birth(dice, member.birth),
        sex=dice.choice(list(Sex)),
        domicile=_word(dice, _WRITING, 4, 30),
        register_head=_word(dice, _WRITING),
        became_resident_on=day,
        address_since=day,
        notified_on=day,
        previous_address=_word(dice, _WRITING, 4, 40) if dice.random() < 0.5 else None,
        my_number="".join(dice.choices("0123456789", k=12)),
        remarks=_word(dice, _WRITING, 1, 60) if dice.random() < 0.3 else None,
    )


def _birth(dice: random.Random, birth: RegisterDate) -> RegisterDate:
    """Draw a birthday on the same side of every limit."""
    assert birth.on is not None, "the ordinary households know their birthdays"
    if birth.on.year < ADULT_BEFORE_YEAR:
        return _day(dice, date(1926, 1, 1), date(ADULT_BEFORE_YEAR, 1, 1))
    if birth.on < _OF_AGE_UNTIL:
        return _day(dice, date(ADULT_BEFORE_YEAR, 1, 1), _OF_AGE_UNTIL)
    return _day(dice, _UNDER_AGE_FROM, _BORN_LAST)


def _day(dice: random.Random, first: date, before: date) -> RegisterDate:
    return registered(first + timedelta(days=dice.randrange((before - first).days)))


def _numbers(dice: random.Random, serial: int) -> Iterator[str]:
    """Yield numbers that rise, with their check digits."""
    while True:
        serial += dice.randint(1, _SERIAL_STEP_MAX)
        digit = check_digit(str(serial))
        if digit is not None:
            yield f"{serial}{digit}"


def _word(dice: random.Random, letters: str, least: int = 1, most: int = _NAME_LETTERS_MAX) -> str:
    return "".join(dice.choices(letters, k=dice.randint(least, most)))

"""What a run does, and who the people in it are.

The first comes from one pair of dice and the second from another, so that two runs can be alike in
everything that is done and differ in everything that is secret.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from issuance_server.core.register import HEAD, Household, Sex
from issuance_server.sample.drafts import Family, Person, settled
from keys.pin_sealing import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from protocol.kinds import Item, Options, Scope
from protocol.limits import ID_BYTES

HOLDERS = 3
MEMBERS_MAX = 5
TODAY = date(2026, 11, 30)
_UNDER_AGE_FIRST = date(2013, 1, 1)
_DAYS_PER_YEAR = 365

_WRITING = "見本架空例示仮名試作模擬標本想定雛形説明文字桒原渡邉齋藤麗鬱一二三山川"
_KANA = "みほんかくうれいじりなしさくもぎひょうたがそのうてら"
_LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DEATHS = ("visit", "applied", "quoted", "held", "release-sent", "released", "printed", "reported")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What is not secret about a holder.

    Attributes:
        members: how many live in the household.
        under_age: whether the holder is too young for a certificate.
        suppressed: whether issuing is stopped for the holder.
    """

    members: int
    under_age: bool
    suppressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One card at a terminal.

    Attributes:
        holder: index of the holder; None for a card that nobody registered.
        pins: for each try, whether it is the right one.
        options: what is chosen from the menu; None to leave there.
        copies: how many.
        after_ms: how long after the visit before it.
        thinks_ms: how long the person takes for each answer.
        jams_at: the sheet at which the printer stops; None for a printer in order.
        dies_at: the record after which the terminal loses its power; None for a steady one.
    """

    holder: int | None
    pins: tuple[bool, ...]
    options: Options | None
    copies: int
    after_ms: int
    thinks_ms: int
    jams_at: int | None
    dies_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happens in a run.

    Attributes:
        holders: of the cards.
        visits: for each terminal, its visits in order.
        loss: probability that the broker loses a copy of a message.
        doubling: probability that it delivers one twice.
        delay_ms_max: how long it may keep one.
        restart_at_ms: when the server is killed and started again; None for never.
    """

    holders: tuple[Holder, ...]
    visits: tuple[tuple[Visit, ...], ...]
    loss: float
    doubling: float
    delay_ms_max: int
    restart_at_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretCard:
    """What is secret about a card: 16 bytes of number, the PIN, and one that is wrong."""

    number: bytes
    pin: str
    wrong_pin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Who the people are.

    Attributes:
        households: the whole register.
        holder_ids: 宛名番号 of the holders.
        cards: of the holders, and last the one that nobody registered.
    """

    households: tuple[Household, ...]
    holder_ids: tuple[str, ...]
    cards: tuple[SecretCard, ...]


def course(seed: int) -> Course:
    """Draw what happens."""
    dice = random.Random(f"course {seed}")
    holders = tuple(
        Holder(
            members=dice.randint(1, MEMBERS_MAX),
            under_age=dice.random() < 0.1,
            suppressed=dice.random() < 0.1,
        )
        for _ in range(HOLDERS)
    )
    rough = dice.random() < 0.5
    return Course(
        holders=holders,
        visits=tuple(
            tuple(_visit(dice, holders) for _ in range(visits))
            for visits in (dice.randint(1, 2), 1)
        ),
        loss=dice.choice((0.02, 0.08)) if rough else 0.0,
        doubling=dice.choice((0.02, 0.1)) if rough else 0.0,
        delay_ms_max=dice.choice((1, 30, 200)),
        restart_at_ms=dice.randrange(200, 8_000) if dice.random() < 0.15 else None,
    )


def _visit(dice: random.Random, holders: tuple[Holder, ...]) -> Visit:
    pins = dice.choice(((True,), (True,), (False, True), (False, False, True), (False,)))
    holder = dice.randrange(HOLDERS) if dice.random() < 0.9 else None
    members = 1 if holder is None else holders[holder].members
    return Visit(
        holder=holder,
        pins=(False, False, False) if dice.random() < 0.1 else pins,
        options=_options(dice, members) if dice.random() < 0.9 else None,
        copies=dice.choice((1, 1, 1, 2)),
        after_ms=dice.randrange(3_000),
        thinks_ms=dice.randrange(2_000),
        jams_at=1 if dice.random() < 0.1 else None,
        dies_at=dice.choice(_DEATHS) if dice.random() < 0.15 else None,
    )


def _options(dice: random.Random, members: int) -> Options:
    items = tuple(item for item in (Item.RELATIONSHIP, Item.DOMICILE) if dice.random() < 0.5)
    scope = dice.choice((Scope.SELF, Scope.HOUSEHOLD, Scope.SOME))
    chosen = sorted(dice.sample(range(1, members + 1), dice.randint(1, members)))
    return Options(scope=scope, members=tuple(chosen) if scope is Scope.SOME else (), items=items)


def secrets_for(what: Course, side: str) -> Secrets:
    """Draw people who fit a course: of the same number and form, and nothing else the same.

    The records of all of them can be printed. That a record cannot shows from outside: the reason
    is in the log, and nothing is fetched after the application.
    """
    dice = random.Random(f"secrets {side}")
    others = [_family(dice, members=1, under_age=False) for _ in range(dice.randrange(1, 9))]
    families = [_family(dice, members=h.members, under_age=h.under_age) for h in what.holders]
    households = settled((*others, *families))
    return Secrets(
        households=households,
        holder_ids=tuple(household.head_id for household in households[len(others) :]),
        cards=tuple(_card(dice) for _ in range(HOLDERS + 1)),
    )


def _card(dice: random.Random) -> SecretCard:
    """Draw a card; right and wrong PIN begin differently, and may differ in length, too."""
    right, wrong = dice.sample(range(10), 2)
    return SecretCard(
        number=dice.randbytes(ID_BYTES),
        pin=f"{right}{_digits(dice)}",
        wrong_pin=f"{wrong}{_digits(dice)}",
    )


def _digits(dice: random.Random) -> str:
    count = dice.randint(PIN_DIGITS_MIN, PIN_DIGITS_MAX) - 1
    return "".join(dice.choices("0123456789", k=count))


def _family(dice: random.Random, *, members: int, under_age: bool) -> Family:
    surname, surname_kana = _word(dice, _WRITING, 1, 4), _word(dice, _KANA, 1, 8)
    building = "　" + _word(dice, _WRITING, 1, 10) + "荘" if dice.random() < 0.5 else ""
    people = [
        Person(
            name=f"{surname}　{_word(dice, _WRITING, 1, 4)}",
            kana=f"{surname_kana}　{_word(dice, _KANA, 1, 8)}",
            birth=_birth(dice, under_age=under_age, head=place == 0),
            sex=dice.choice((Sex.MALE, Sex.FEMALE)),
            relationship=HEAD if place == 0 else "同居人" if under_age else "子",
        )
        for place in range(members)
    ]
    if dice.random() < 0.2:  # who is known by a name in Latin letters
        latin = f"{_word(dice, _LATIN, 2, 9)}　{_word(dice, _LATIN, 2, 9)}"
        people[0] = Person(
            name=latin,
            kana=people[0].kana,
            birth=people[0].birth,
            sex=people[0].sex,
            relationship=HEAD,
        )
    street = f"大阪府豊中市{_word(dice, _WRITING, 2, 6)}{dice.randint(1, 9)}丁目"
    return Family(
        address=f"{street}{dice.randint(901, 999)}番{dice.randint(1, 40)}号{building}",
        since=TODAY - timedelta(days=dice.randint(400, 4_000)),
        people=tuple(people),
    )


def _word(dice: random.Random, letters: str, least: int, most: int) -> str:
    return "".join(dice.choices(letters, k=dice.randint(least, most)))


def _birth(dice: random.Random, *, under_age: bool, head: bool) -> date:
    """Draw a birthday: children are born after their parents, or their record is refused."""
    if under_age and head:
        first, years = _UNDER_AGE_FIRST, 10
    elif head:
        first, years = date(1930, 1, 1), 40
    else:
        first, years = date(1990, 1, 1), 20
    return first + timedelta(days=dice.randrange(years * _DAYS_PER_YEAR))

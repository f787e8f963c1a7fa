"""What a 戸籍全部事項証明書 or 戸籍個人事項証明書 says: the register's own items."""

from collections.abc import Iterator
from dataclasses import dataclass

from issuance_server.certificates.content.common import (
    Attestation,
    attestation,
    demand_options,
    holder,
    record_of,
    refuse_faults,
)
from issuance_server.certificates.dates import full_width
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.core.family_register import (
    FamilyRegister,
    RegisteredPerson,
    RegisterEvent,
    RegisterItem,
)
from protocol.kinds import Kind, Scope

WHOLE_TITLE = "全部事項証明"
PERSON_TITLE = "個人事項証明"
WHOLE_SENTENCE = "これは、戸籍に記録されている事項の全部を証明した書面である。"
PERSON_SENTENCE = "これは、戸籍中の一部の者について記録されている事項の全部を証明した書面である。"
REGISTER_EVENTS = "戸籍事項"
PERSON = "戸籍に記録されている者"
PERSON_EVENTS = "身分事項"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item.

    Attributes:
        name: what a refusal calls it, such as ``出生日``; not printed.
        text: as printed, such as 【出生日】平成元年１月８日.
        depth: how many items it stands under.
    """

    name: str
    text: str
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Items that belong together, beside their label.

    Attributes:
        label: such as 出生; empty for a person's own items.
        entries: in their order.
    """

    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the register.

    Attributes:
        place: where in the register it stands, as refusals call it; not printed.
        title: one of the three.
        blocks: its content.
        removed: whether it is a person who is 除籍.
    """

    place: str
    title: str
    blocks: tuple[Block, ...]
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyCertificate:
    """What is certified, before it is divided among sheets.

    Attributes:
        title: 全部事項証明 or 個人事項証明.
        domicile: 本籍.
        head: 氏名 of the 筆頭者.
        head_kana: 氏の振り仮名, if recorded.
        sections: 戸籍事項, then each person with the 身分事項.
        attestation: the certifying words.
    """

    title: str
    domicile: str
    head: str
    head_kana: str | None
    sections: tuple[Section, ...]
    attestation: Attestation


def certificate(order: CertificateOrder) -> FamilyCertificate:
    """Return what is certified.

    Raises:
        CertificateRefused: there is no register, the holder is not in it or no longer in it, it is
            closed or waits for an entry, or it breaks a rule.
    """
    whole = order.kind is Kind.KOSEKI_ZENBU
    scopes = (Scope.SELF, Scope.HOUSEHOLD) if whole else (Scope.SELF,)
    demand_options(order, *scopes)
    register = record_of(order, FamilyRegister)
    if register.closed:
        raise CertificateRefused("record-closed")
    if register.filing_in_progress:
        raise CertificateRefused("filing-in-progress")
    himself = register.person(holder(order).resident_id)
    if himself is None:
        raise CertificateRefused("member-unknown")
    refuse_faults(register.faults())
    events = _blocks(register.events)
    sections = [Section(place=REGISTER_EVENTS, title=REGISTER_EVENTS, blocks=events)]
    for number, person in enumerate(register.people, start=1):
        if whole or person is himself:
            sections += _person_sections(f"名欄{number}", person)
    return FamilyCertificate(
        title=WHOLE_TITLE if whole else PERSON_TITLE,
        domicile=full_width(register.domicile),
        head=register.head,
        head_kana=register.family_name_kana,
        sections=tuple(sections),
        attestation=attestation(order, WHOLE_SENTENCE if whole else PERSON_SENTENCE),
    )


def _person_sections(place: str, person: RegisteredPerson) -> Iterator[Section]:
    own = Block(label="", entries=tuple(_own_entries(person)))
    yield Section(place=place, title=PERSON, blocks=(own,), removed=person.removed)
    events = _blocks(person.events)
    yield Section(place=f"{place} {PERSON_EVENTS}", title=PERSON_EVENTS, blocks=events)


def _blocks(events: tuple[RegisterEvent, ...]) -> tuple[Block, ...]:
    return tuple(
        Block(label=event.title, entries=tuple(_entries(event.items, "", 0))) for event in events
    )


def _entries(items: tuple[RegisterItem, ...], above: str, depth: int) -> Iterator[Entry]:
    """Yield items, each followed by those that stand under it."""
    for item in items:
        name = above + item.heading
        yield Entry(name=name, text=f"【{item.heading}】{full_width(item.text)}", depth=depth)
        if item.items:
            yield from _entries(item.items, f"{name} ", depth + 1)


def _own_entries(person: RegisteredPerson) -> Iterator[Entry]:
    """Yield a person's items; 父 and 母 are there even where nobody is named."""
    spouse = f"　　【配偶者区分】{person.spouse}" if person.spouse else ""
    yield _own("名", person.name)
    if person.name_kana:
        yield _own("名の振り仮名", person.name_kana)
    yield _own("生年月日", f"{full_width(person.birth.text)}{spouse}")
    yield _own("父", person.father or "")
    yield _own("母", person.mother or "")
    yield _own("続柄", person.order)
    if person.adoptive_father:
        yield _own("養父", person.adoptive_father)
    if person.adoptive_mother:
        yield _own("養母", person.adoptive_mother)
    if person.adoptive_order:
        yield _own("続柄", person.adoptive_order)


def _own(name: str, text: str) -> Entry:
    return Entry(name=name, text=f"【{name}】{text}")

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
from issuance_server.core.family_register import FamilyRegister, RegisteredPerson, RegisterEvent
from protocol.kinds import Kind, Scope

WHOLE_TITLE = "全部事項証明"
PERSON_TITLE = "個人事項証明"
WHOLE_SENTENCE = "これは、戸籍に記録されている事項の全部を証明した書面である。"
PERSON_SENTENCE = "これは、戸籍中の一部の者について記録されている事項の全部を証明した書面である。"
REGISTER_EVENTS = "戸籍事項"
PERSON = "戸籍に記録されている者"
PERSON_EVENTS = "身分事項"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Lines that belong together, beside their label.

    Attributes:
        label: such as 出生; empty for a person's own items.
        lines: such as 【出生日】平成元年１月８日.
    """

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the register.

    Attributes:
        title: one of the three.
        blocks: its content.
        removed: whether it is a person who is 除籍.
    """

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
    people = register.people if whole else (himself,)
    sections = [Section(title=REGISTER_EVENTS, blocks=_blocks(register.events))]
    for person in people:
        own = Block(label="", lines=tuple(_own_lines(person)))
        sections.append(Section(title=PERSON, blocks=(own,), removed=person.removed))
        sections.append(Section(title=PERSON_EVENTS, blocks=_blocks(person.events)))
    return FamilyCertificate(
        title=WHOLE_TITLE if whole else PERSON_TITLE,
        domicile=full_width(register.domicile),
        head=register.head,
        head_kana=register.family_name_kana,
        sections=tuple(sections),
        attestation=attestation(order, WHOLE_SENTENCE if whole else PERSON_SENTENCE),
    )


def _blocks(events: tuple[RegisterEvent, ...]) -> tuple[Block, ...]:
    return tuple(
        Block(
            label=event.title,
            lines=tuple(f"【{item.heading}】{full_width(item.text)}" for item in event.items),
        )
        for event in events
    )


def _own_lines(person: RegisteredPerson) -> Iterator[str]:
    """Yield a person's items; 父 and 母 are there even where nobody is named."""
    yield f"【名】{person.name}"
    if person.name_kana:
        yield f"【名の振り仮名】{person.name_kana}"
    spouse = f"　　【配偶者区分】{person.spouse}" if person.spouse else ""
    yield f"【生年月日】{full_width(person.birth.text)}{spouse}"
    yield f"【父】{person.father or ''}"
    yield f"【母】{person.mother or ''}"
    yield f"【続柄】{person.order}"
    if person.adoptive_father:
        yield f"【養父】{person.adoptive_father}"
    if person.adoptive_mother:
        yield f"【養母】{person.adoptive_mother}"
    if person.adoptive_order:
        yield f"【続柄】{person.adoptive_order}"

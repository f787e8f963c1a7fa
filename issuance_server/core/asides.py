"""What a step keeps in a table beside the journal, because no record may hold it."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeAddress:
    """Where a resident's notices go; its ``repr`` does not show it."""

    resident_id: str
    address: str
    at_ms: int

    def __repr__(self) -> str:
        return f"NoticeAddress({self.resident_id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Who asks to be registered by 本籍, as typed at a terminal; its ``repr`` shows nothing of it.

    Attributes:
        request_id: of the request, 16 bytes.
        certificate_serial: of the card's certificate, in hexadecimal.
        domicile: 本籍.
        register_head: 筆頭者.
        name: 氏名.
        birth: 生年月日, as typed.
        phone: a telephone number, or empty.
    """

    request_id: bytes
    certificate_serial: str
    domicile: str
    register_head: str
    name: str
    birth: str
    phone: str

    def __repr__(self) -> str:
        return f"Applicant({self.request_id.hex()})"


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterWords:
    """What the counter lets an applicant know; its ``repr`` does not show it."""

    request_id: bytes
    words: str

    def __repr__(self) -> str:
        return f"CounterWords({self.request_id.hex()})"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSerial:
    """The serial of the certificate in a card that is being registered, in hexadecimal."""

    card_ref: str
    certificate_serial: str


Aside: TypeAlias = NoticeAddress | Applicant | CounterWords | CardSerial

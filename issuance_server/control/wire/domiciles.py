"""What commands say and ask about requests by 本籍."""

from typing import Annotated

import msgspec
from msgspec import Meta

from issuance_server.adapters.sqlite.domicile_reading import ApplicantRow, RequestRow

ACT_DOMICILE_SHOW = "domicile.show"
ACT_DOMICILE_MATCH = "domicile.match"
ACT_DOMICILE_APPROVE = "domicile.approve"
ACT_DOMICILE_REJECT = "domicile.reject"
WORDS_CHARACTERS_MAX = 200

_RequestId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]


class FoundPerson(msgspec.Struct, frozen=True, kw_only=True, tag="found-person"):
    """What comes with ``domicile.match``: in whose name the register is."""

    request: _RequestId
    resident_id: Annotated[str, Meta(min_length=1, max_length=20)]


class ToldWords(msgspec.Struct, frozen=True, kw_only=True, tag="told-words"):
    """What comes with ``domicile.reject``: what the applicant is told. Its ``repr`` hides it."""

    request: _RequestId
    words: Annotated[str, Meta(min_length=1, max_length=WORDS_CHARACTERS_MAX)]

    def __repr__(self) -> str:
        return f"ToldWords({self.request})"


class ListDomiciles(msgspec.Struct, frozen=True, kw_only=True, tag="list-domiciles"):
    """Requests; or those alone that wait for somebody."""

    undecided: bool


class Domiciles(msgspec.Struct, frozen=True, kw_only=True, tag="domiciles"):
    """Oldest first."""

    rows: tuple[RequestRow, ...]


class ShownApplicant(msgspec.Struct, frozen=True, kw_only=True, tag="shown-applicant"):
    """One request with what was typed; None: it is erased."""

    row: RequestRow
    applicant: ApplicantRow | None

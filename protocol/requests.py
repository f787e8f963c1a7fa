"""Who asks what, and which telegrams may answer (SPEC.md §7, "Replies:").

Both sides handle a telegram by its kind; this table says what belongs together, for everything that
describes the protocol: the AsyncAPI document, the page of telegrams, and tests.
"""

from dataclasses import dataclass

from protocol.domicile_telegrams import AskDomicile, DomicileTold, RegisterDomicile
from protocol.handshake_port import Role
from protocol.telegrams import (
    Acknowledged,
    Apply,
    Authenticate,
    AuthenticateCertificate,
    Begin,
    Cancel,
    ChallengeGiven,
    Close,
    Closed,
    Deleted,
    EndVisit,
    Fetch,
    Held,
    LineTest,
    LineTested,
    Menu,
    Notice,
    Open,
    Opened,
    PieceGiven,
    Quotation,
    Refused,
    Release,
    Released,
    Report,
    Telegram,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A telegram that is not a reply.

    Attributes:
        askers: the roles that may send it.
        replies: what may answer it, the wished-for one first; empty where nothing does.
    """

    askers: tuple[Role, ...] = (Role.TERMINAL,)
    replies: tuple[type[Telegram], ...]


REQUESTS: dict[type[Telegram], Request] = {
    Open: Request(replies=(Opened, Refused)),
    Begin: Request(replies=(ChallengeGiven, Refused)),
    Authenticate: Request(replies=(Menu, Refused)),
    AuthenticateCertificate: Request(replies=(Menu, Refused)),
    Apply: Request(replies=(Quotation, Refused)),
    Fetch: Request(replies=(PieceGiven, Refused)),
    Held: Request(replies=(Acknowledged, Refused)),
    Release: Request(replies=(Released, Refused)),
    Report: Request(replies=(Acknowledged, Refused)),
    Deleted: Request(replies=(Acknowledged, Refused)),
    Cancel: Request(replies=(Acknowledged, Refused)),
    EndVisit: Request(replies=(Acknowledged, Refused)),
    RegisterDomicile: Request(replies=(DomicileTold, Refused)),
    AskDomicile: Request(replies=(DomicileTold, Refused)),
    Close: Request(replies=(Closed, Refused)),
    LineTest: Request(askers=(Role.TERMINAL, Role.SERVER), replies=(LineTested,)),
    Notice: Request(askers=(Role.SERVER,), replies=()),
}
"""Every request, in the order of the telegrams."""


def requests_answered_by(reply: type[Telegram]) -> tuple[type[Telegram], ...]:
    """Return the requests that this kind of telegram may answer; none if it is a request itself."""
    return tuple(asked for asked, request in REQUESTS.items() if reply in request.replies)

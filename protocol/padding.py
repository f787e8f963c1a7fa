"""Which telegrams are padded beyond what they need, so that no length tells anything (TP-048)."""

from protocol import limits
from protocol.domicile_telegrams import AskDomicile, DomicileTold, RegisterDomicile
from protocol.telegrams import (
    Authenticate,
    AuthenticateCertificate,
    Closed,
    Menu,
    Open,
    Opened,
    PieceGiven,
    Refused,
    Released,
    Telegram,
)

AUTHENTICATE_BUCKET_BYTES = 2_048
"""Of both ways to authenticate: a length does not tell which kind of card it is."""
DOMICILE_BUCKET_BYTES = 2_048
"""Nobody sees how long a name is, nor whether a request was made or only asked about."""
CLOSED_BUCKET_BYTES = 2_048
"""Nobody sees how much the audit record has grown (TP-121)."""

BUCKET_FLOOR_BYTES: dict[type[Telegram], int] = {
    Menu: limits.MENU_BUCKET_BYTES,
    Authenticate: AUTHENTICATE_BUCKET_BYTES,
    AuthenticateCertificate: AUTHENTICATE_BUCKET_BYTES,
    RegisterDomicile: DOMICILE_BUCKET_BYTES,
    AskDomicile: DOMICILE_BUCKET_BYTES,
    DomicileTold: DOMICILE_BUCKET_BYTES,
    Refused: limits.SMALL_BUCKET_BYTES,
    Released: limits.MENU_BUCKET_BYTES,
    PieceGiven: limits.TELEGRAM_BUCKETS_BYTES[-1],
    Closed: CLOSED_BUCKET_BYTES,
    Opened: limits.MENU_BUCKET_BYTES,
    Open: limits.MENU_BUCKET_BYTES,
}
"""Telegrams whose length could tell something start at a larger bucket (TP-048)."""

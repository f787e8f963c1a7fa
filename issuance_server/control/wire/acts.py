"""What an operator wants changed: the signed act, and what comes with it."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from issuance_server.control.wire.cards import BegunCard, ResetPin, TriedCard
from issuance_server.control.wire.domiciles import FoundPerson, ToldWords
from issuance_server.control.wire.issuing import NewManifest
from issuance_server.control.wire.notices import NewSubscription
from issuance_server.control.wire.push import PushPage
from issuance_server.control.wire.register import FeedBatch, StagedExtract, StandInTime
from issuance_server.control.wire.suppressions import AddedSuppression
from issuance_server.control.wire.tables import NewTablesFile
from issuance_server.core.terminal_place import TerminalClass
from keys.operators import SignedAct

ACT_CARD_UNLOCK = "card.unlock"
ACT_TERMINAL_REGISTER = "terminal.register"
ACT_TERMINAL_RENEW = "terminal.renew"
ACT_TERMINAL_REVOKE = "terminal.revoke"
ACT_TERMINAL_UNFREEZE = "terminal.unfreeze"

OVERLAP_HOURS_MAX = 31 * 24
CERTIFICATE_BYTES_MAX = 8_192
PLACE_CHARACTERS_MAX = 64

_Certificate = Annotated[bytes, Meta(max_length=CERTIFICATE_BYTES_MAX)]
_Place = Annotated[str, Meta(min_length=1, max_length=PLACE_CHARACTERS_MAX)]


class NewTerminal(msgspec.Struct, frozen=True, kw_only=True, tag="new-terminal"):
    """What comes with ``terminal.register``: the certificate in PEM form, and the place."""

    certificate: _Certificate
    chain: _Place
    store: _Place
    in_city: bool
    terminal_class: TerminalClass = TerminalClass.STORE


class NewKey(msgspec.Struct, frozen=True, kw_only=True, tag="new-key"):
    """What comes with ``terminal.renew``: the certificate in PEM form, and how long both hold."""

    certificate: _Certificate
    overlap_hours: Annotated[int, Meta(ge=0, le=OVERLAP_HOURS_MAX)]


Brought: TypeAlias = (
    NewTerminal
    | NewSubscription
    | FoundPerson
    | ToldWords
    | PushPage
    | NewKey
    | AddedSuppression
    | NewTablesFile
    | NewManifest
    | StagedExtract
    | FeedBatch
    | StandInTime
    | BegunCard
    | TriedCard
    | ResetPin
)
"""What can come with an act."""


class Act(msgspec.Struct, frozen=True, kw_only=True, tag="act"):
    """A signed act of an operator.

    Attributes:
        signed: the act; its subject binds what comes with it.
        second: the same act, signed by a second operator, where it takes two.
        brought: what comes with it.
    """

    signed: SignedAct
    second: SignedAct | None = None
    brought: Brought | None = None

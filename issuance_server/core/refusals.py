"""Why a holder may not have something: the operator's word for it, and what the resident is told.

Journal and log hold the word. Over the line goes a reply code, and several words share one code
where a code of its own would betray somebody: whoever stands at the machine with the card of a
supported person, or lives with one, must not learn of it, and not by elimination either.
"""

from enum import Enum
from typing import TypeAlias

from protocol.codes import ReplyCode


class Refusal(Enum):
    """A reason of the registers; the value is its word in journal and log."""

    # the holder
    RESIDENT_UNKNOWN = "resident-unknown"
    SUPPORTED = "supported"
    PROVISIONALLY_SUPPORTED = "provisionally-supported"
    SUPPRESSED = "suppressed"
    HOUSEHOLD_SUPPRESSED = "household-suppressed"
    UNDER_AGE = "under-age"
    MOVE_OUT_FILED = "move-out-filed"
    CHARACTERS_PENDING = "characters-pending"
    MOVED = "moved"
    DIED = "died"
    REMOVED = "removed"
    CARD_NOT_YET_USABLE = "card-not-yet-usable"
    RESIDENT_ELSEWHERE = "resident-elsewhere"
    # others whom the certificate would show, or whose household it is
    MEMBER_SUPPRESSED = "member-suppressed"
    REGISTER_MEMBER_SUPPRESSED = "register-member-suppressed"
    MEMBER_MOVE_OUT_FILED = "member-move-out-filed"
    MEMBER_CHARACTERS_PENDING = "member-characters-pending"
    HEAD_REMOVED = "head-removed"
    # records of the other registers
    SEAL_NOT_REGISTERED = "seal-not-registered"
    SEAL_ABOLISHED = "seal-abolished"
    TAX_NOT_FILED = "tax-not-filed"
    TAX_RECORD_MISSING = "tax-record-missing"
    TAX_YEAR_NOT_LATEST = "tax-year-not-latest"
    NOT_RESIDENT_ON_1_JANUARY = "not-resident-on-1-january"
    NO_FAMILY_REGISTER = "no-family-register"
    FILING_IN_PROGRESS = "filing-in-progress"
    REGISTER_CLOSED = "register-closed"
    # what was asked for
    MY_NUMBER_NOT_OFFERED = "my-number-not-offered"

    @property
    def code(self) -> ReplyCode:
        """What the terminal is told."""
        return _CODES.get(self, ReplyCode.NOT_ISSUED_HERE)


AnyRefusal: TypeAlias = Refusal | ReplyCode
"""A reason of the registers, or one that needs no other word than its reply code."""


def code_of(refusal: AnyRefusal) -> ReplyCode:
    """Return what the terminal is told."""
    return refusal.code if isinstance(refusal, Refusal) else refusal


def of_registers(refusal: AnyRefusal) -> Refusal | None:
    """Return what a record holds beside the reply code: the reason, if it is the registers'."""
    return refusal if isinstance(refusal, Refusal) else None


def word_of(refusal: AnyRefusal) -> str:
    """Return what journal and log hold."""
    return refusal.value if isinstance(refusal, Refusal) else refusal.name


_CODES = {
    Refusal.UNDER_AGE: ReplyCode.UNDER_AGE,
    Refusal.MOVE_OUT_FILED: ReplyCode.MOVE_OUT_FILED,
    Refusal.CHARACTERS_PENDING: ReplyCode.ENTRY_PENDING,
    Refusal.MOVED: ReplyCode.NO_LONGER_RESIDENT,
    Refusal.CARD_NOT_YET_USABLE: ReplyCode.CARD_NOT_YET_USABLE,
    Refusal.SEAL_NOT_REGISTERED: ReplyCode.SEAL_NOT_REGISTERED,
    Refusal.SEAL_ABOLISHED: ReplyCode.SEAL_ABOLISHED,
    Refusal.TAX_NOT_FILED: ReplyCode.TAX_NOT_FILED,
    Refusal.TAX_RECORD_MISSING: ReplyCode.TAX_RECORD_MISSING,
    Refusal.TAX_YEAR_NOT_LATEST: ReplyCode.TAX_RECORD_MISSING,
    Refusal.NOT_RESIDENT_ON_1_JANUARY: ReplyCode.NOT_RESIDENT_ON_1_JANUARY,
    Refusal.NO_FAMILY_REGISTER: ReplyCode.NO_FAMILY_REGISTER,
    Refusal.FILING_IN_PROGRESS: ReplyCode.FAMILY_REGISTER_HELD,
    Refusal.REGISTER_MEMBER_SUPPRESSED: ReplyCode.FAMILY_REGISTER_HELD,
    Refusal.REGISTER_CLOSED: ReplyCode.REGISTER_CLOSED,
    Refusal.MY_NUMBER_NOT_OFFERED: ReplyCode.MY_NUMBER_NOT_OFFERED,
}
"""All others are *not issued here*, the one answer that betrays nobody."""

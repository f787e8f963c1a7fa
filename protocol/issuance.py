"""The states of one issuance (発行, TP-101), for both roles; drawn into ``docs/states.md``.

From RELEASED on there is no way to an end without a word from the terminal or from two people.
RELEASING exists on the terminal only: it has durably noted that it asked for the key, and must from
now on behave as if it might have been given. The server goes from SEALED to RELEASED in one step.
"""

from enum import Enum

from protocol.state_table import Row, StateTable


class IssuanceState(Enum):
    """Where an issuance stands; the value is its name on the wire and for operators."""

    APPLIED = "applied"  # 申請済: numbers reserved, being rendered
    QUOTED = "quoted"  # 見積済: fee quoted, sealed certificate being fetched
    SEALED = "sealed"  # 封緘保持: the terminal holds the ciphertext
    RELEASING = "releasing"  # 許可要求中: the terminal has asked for the key
    RELEASED = "released"  # 印刷許可済: key handed out, fee held, numbers valid
    PRINTED = "printed"  # 印刷済: fee earned, deletion awaited
    PRINT_FAILED = "print-failed"  # 印刷失敗: fee returned, numbers void, deletion awaited
    UNCONFIRMED = "unconfirmed"  # 未確認: released, and no word in time
    COMPLETED = "completed"  # 完了
    REVERSED = "reversed"  # 取消完了
    CLOSED = "closed"  # 二者決裁: closed by two operators with a reason
    WITHDRAWN = "withdrawn"  # 取下げ: nothing was ever released


class IssuanceInput(Enum):
    """What can happen to an issuance."""

    QUOTATION_GIVEN = "quotation given"
    CIPHERTEXT_HELD = "ciphertext held"
    RELEASE_ASKED = "release asked"
    RELEASE_GRANTED = "release granted"
    PRINT_REPORTED = "print reported"
    FAILURE_REPORTED = "failure reported"
    DELETION_RECORDED = "deletion recorded"
    WITHDRAWAL = "withdrawal"
    DEADLINE_PASSED = "deadline passed"
    CLOSED_BY_TWO = "closed by two"


S, I = IssuanceState, IssuanceInput  # noqa: E741  # short, for the table

_VOID = "erase body and key, void numbers"
_BACK = "erase spool, return money"
_RETURN = "return fee, void numbers"
_ENDED = (S.COMPLETED, S.REVERSED, S.CLOSED, S.WITHDRAWN)

ISSUANCE_TABLE = StateTable(
    # in state        on input             enter           server does          terminal does
    rows=(
        Row(S.APPLIED, I.QUOTATION_GIVEN, S.QUOTED, "seal, quote", "fetch the pieces"),
        Row(S.APPLIED, I.WITHDRAWAL, S.WITHDRAWN, _VOID, "nothing held yet"),
        Row(S.APPLIED, I.DEADLINE_PASSED, S.WITHDRAWN, _VOID, "nothing held yet"),
        Row(S.QUOTED, I.CIPHERTEXT_HELD, S.SEALED, "erase body", "take the money"),
        Row(S.QUOTED, I.WITHDRAWAL, S.WITHDRAWN, _VOID, _BACK),
        Row(S.QUOTED, I.DEADLINE_PASSED, S.WITHDRAWN, _VOID, _BACK),
        Row(S.SEALED, I.RELEASE_ASKED, S.RELEASING, "(terminal only)", "note it, then ask"),
        Row(S.SEALED, I.RELEASE_GRANTED, S.RELEASED, "hold fee, hand out key", "verify, print"),
        Row(S.SEALED, I.FAILURE_REPORTED, S.WITHDRAWN, _VOID, _BACK),
        Row(S.SEALED, I.WITHDRAWAL, S.WITHDRAWN, _VOID, _BACK),
        Row(S.SEALED, I.DEADLINE_PASSED, S.WITHDRAWN, _VOID, _BACK),
        Row(S.RELEASING, I.RELEASE_GRANTED, S.RELEASED, "(terminal only)", "verify, print"),
        Row(S.RELEASING, I.WITHDRAWAL, S.WITHDRAWN, "(terminal only)", _BACK),
        Row(S.RELEASING, I.FAILURE_REPORTED, S.PRINT_FAILED, "(terminal only)", _BACK),
        Row(S.RELEASED, I.PRINT_REPORTED, S.PRINTED, "earn fee", "report, erase"),
        Row(S.RELEASED, I.FAILURE_REPORTED, S.PRINT_FAILED, _RETURN, _BACK),
        Row(S.RELEASED, I.DEADLINE_PASSED, S.UNCONFIRMED, "alarm", "(server only)"),
        Row(S.UNCONFIRMED, I.PRINT_REPORTED, S.PRINTED, "earn fee", "(server only)"),
        Row(S.UNCONFIRMED, I.FAILURE_REPORTED, S.PRINT_FAILED, _RETURN, "(server only)"),
        Row(S.UNCONFIRMED, I.DEADLINE_PASSED, S.UNCONFIRMED, "alarm again", "(server only)"),
        Row(S.UNCONFIRMED, I.CLOSED_BY_TWO, S.CLOSED, "destroy key", "(server only)"),
        Row(S.PRINTED, I.DELETION_RECORDED, S.COMPLETED, "destroyed its key", "has the word"),
        Row(S.PRINTED, I.DEADLINE_PASSED, S.PRINTED, "alarm: deletion overdue", "(server only)"),
        Row(S.PRINTED, I.CLOSED_BY_TWO, S.CLOSED, "destroy key", "(server only)"),
        Row(S.PRINT_FAILED, I.DELETION_RECORDED, S.REVERSED, "destroyed its key", "has the word"),
        Row(S.PRINT_FAILED, I.DEADLINE_PASSED, S.PRINT_FAILED, "alarm", "(server only)"),
        Row(S.PRINT_FAILED, I.CLOSED_BY_TWO, S.CLOSED, "destroy key", "(server only)"),
    ),
    # Known to happen and known to be harmless: repeats, and time that passes after the end.
    ignored={
        *((state, I.DEADLINE_PASSED) for state in (*_ENDED, S.RELEASING)),
        *((state, I.WITHDRAWAL) for state in _ENDED),
        *((state, I.DELETION_RECORDED) for state in _ENDED),
        *((state, I.PRINT_REPORTED) for state in (S.PRINTED, *_ENDED)),
        *((state, I.FAILURE_REPORTED) for state in (S.PRINT_FAILED, *_ENDED)),
        *((state, I.QUOTATION_GIVEN) for state in _ENDED),
        (S.SEALED, I.CIPHERTEXT_HELD),
        (S.RELEASED, I.CIPHERTEXT_HELD),
    },
    ends=_ENDED,
)

OWED_STATES = frozenset({S.RELEASED, S.PRINTED, S.PRINT_FAILED, S.UNCONFIRMED})
"""States in which the other side, or an operator, still owes a word."""

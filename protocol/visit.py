"""The states of a visit (来訪, TP-100): one card in front of one terminal, at most 5 minutes."""

from enum import Enum

from protocol.state_table import Row, StateTable


class VisitState(Enum):
    """Where a visit stands."""

    BEGUN = "begun"  # 受付済: wants a challenge
    CHALLENGED = "challenged"  # 問掛済: a challenge is out
    JUDGING = "judging"  # 照合中: the PIN judge has the attempt
    AUTHENTICATED = "authenticated"  # 本人確認済
    ENDED = "ended"  # 終了


class VisitInput(Enum):
    """What can happen to a visit."""

    CHALLENGE_GIVEN = "challenge given"
    ATTEMPT_MADE = "attempt made"
    PIN_RIGHT = "pin right"
    NOT_ACCEPTED = "not accepted"
    CARD_LOCKED = "card locked"
    VISIT_ENDED = "visit ended"
    DEADLINE_PASSED = "deadline passed"


S, I = VisitState, VisitInput  # noqa: E741  # short, for the table

VISIT_TABLE = StateTable(
    # in state         on input           enter              server does       terminal does
    rows=(
        Row(S.BEGUN, I.CHALLENGE_GIVEN, S.CHALLENGED, "send it", "ask the card to sign it"),
        Row(S.BEGUN, I.VISIT_ENDED, S.ENDED, "-", "give the card back"),
        Row(S.BEGUN, I.DEADLINE_PASSED, S.ENDED, "-", "give the card back"),
        Row(S.CHALLENGED, I.CHALLENGE_GIVEN, S.CHALLENGED, "send it", "ask the card to sign it"),
        Row(S.CHALLENGED, I.ATTEMPT_MADE, S.JUDGING, "ask the judge", "wait"),
        Row(S.CHALLENGED, I.VISIT_ENDED, S.ENDED, "-", "give the card back"),
        Row(S.CHALLENGED, I.DEADLINE_PASSED, S.ENDED, "-", "give the card back"),
        Row(S.JUDGING, I.PIN_RIGHT, S.AUTHENTICATED, "send the menu", "show the menu"),
        Row(S.JUDGING, I.NOT_ACCEPTED, S.BEGUN, "say why", "ask for the PIN again, or end"),
        Row(S.JUDGING, I.CARD_LOCKED, S.ENDED, "say so", "give the card back"),
        Row(S.JUDGING, I.VISIT_ENDED, S.ENDED, "-", "give the card back"),
        Row(S.JUDGING, I.DEADLINE_PASSED, S.ENDED, "-", "give the card back"),
        Row(S.AUTHENTICATED, I.VISIT_ENDED, S.ENDED, "-", "give the card back"),
        Row(S.AUTHENTICATED, I.DEADLINE_PASSED, S.ENDED, "-", "give the card back"),
    ),
    ignored={
        *((S.ENDED, input_) for input_ in I),
        (S.JUDGING, I.CHALLENGE_GIVEN),
        (S.AUTHENTICATED, I.CHALLENGE_GIVEN),
    },
    ends={S.ENDED},
)

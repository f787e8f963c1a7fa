"""Acts about cards. What the PIN judge has to do is done there first, and recorded when it is done.

Cards with certificates are not known to the judge: what is done with one is done by its record.
"""

from collections.abc import Mapping

from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.pin_judge.counter import check_other_operator
from issuance_server.adapters.sqlite import cards
from issuance_server.adapters.sqlite.reader import Reader
from issuance_server.adapters.sqlite.suppressions import subject_known
from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked, check_subject, incomplete
from issuance_server.core.card_registration import (
    BegunRegistration,
    CardChange,
    CardStep,
    card_digest,
    card_ref_of,
    registration_subject,
)
from issuance_server.core.cards import CardKind, CardOccasion
from issuance_server.core.pin_policy import CertificateAttempt, VerdictOutcome
from issuance_server.core.register import is_numbered_rightly
from issuance_server.core.suppression import SubjectKind
from keys.jpki import serial_of
from keys.operators import OperatorAct
from protocol.errors import KeyManagementError

_TRIAL_ADVICE = {
    VerdictOutcome.NOT_ACCEPTED: "it is another card than was approved",
    VerdictOutcome.CHALLENGE_EXPIRED: "it took too long, or no server runs, which a trial needs:"
    " issuance-server run",
    VerdictOutcome.LOCKED: "no try is left: cancel the registration and begin it again",
    VerdictOutcome.CERTIFICATE_NOT_CHECKABLE: "there is no list of revoked certificates whose"
    " time is not over; fetch one, then try again",
}


def _step(
    act: OperatorAct, step: CardStep, *, second: str | None = None, **more: CardOccasion
) -> CardChange:
    card_ref = card_ref_of(act.subject)
    return CardChange(card_ref=card_ref, step=step, operator=act.operator, second=second, **more)


async def _registered(asked: Asked) -> cards.RegisteredCard:
    """Return the card that an act is about, unless there is none that can be used."""
    card_ref = card_ref_of(asked.act.subject)
    for card in await cards.registered_cards(asked.queries.reader, card_ref):
        if card.withdrawn_at_ms is not None:
            raise KeyManagementError(f"{card_ref} is withdrawn; register a card anew")
        return card
    raise KeyManagementError(f"no card has the reference {card_ref}")


async def _registration(asked: Asked) -> cards.RegistrationRow:
    card_ref = card_ref_of(asked.act.subject)
    rows = await cards.registrations(asked.queries.reader)
    for row in rows:
        if row.card_ref == card_ref:
            return row
    raise KeyManagementError(f"no registration of {card_ref} is under way; see: card register list")


async def _unlocking(asked: Asked) -> CardChange | None:
    card = await _registered(asked)
    if card.kind == CardKind.MYNUMBER.value:
        return _step(asked.act, CardStep.UNLOCKED, second=asked.second)
    if not await asked.judge.card_known(card.card_ref):
        raise KeyManagementError(f"no card has the reference {card.card_ref}")
    return None


async def _resetting(asked: Asked) -> CardChange | None:
    card = await _registered(asked)
    if card.kind == CardKind.MYNUMBER.value:
        if asked.brought is not None:
            raise KeyManagementError("the PIN of this card is told to the card alone")
        return _step(
            asked.act,
            CardStep.PIN_RESET,
            second=asked.second,
            occasion=CardOccasion.PIN_CHANGED,
        )
    if not isinstance(asked.brought, wire.ResetPin):
        raise incomplete()
    digest = card_digest(card.card_ref, asked.brought.card)
    check_subject(asked.act, f"{card.card_ref} {digest}")
    return None


async def _beginning(asked: Asked) -> BegunRegistration | None:
    begun = asked.brought
    if not isinstance(begun, wire.BegunCard) or (begun.card is None) == (begun.certificate is None):
        raise incomplete()
    change = _begun(begun, asked.act)
    reader = asked.queries.reader
    if not is_numbered_rightly(begun.resident_id):
        raise KeyManagementError(
            f"{begun.resident_id} is no number of a resident: the check digit is wrong; read it"
            " again from the record"
        )
    if not await subject_known(reader, SubjectKind.PERSON, begun.resident_id):
        raise KeyManagementError(f"the register copy has no resident {begun.resident_id}")
    if change.occasion is CardOccasion.PIN_CHANGED:
        raise KeyManagementError("a card whose PIN is changed is registered: card reset-pin")
    other = await cards.card_in_the_way(
        reader, change.resident_id, change.kind, change.certificate_serial
    )
    if other is not None:
        raise KeyManagementError(
            f"{other} is registered already for this holder, or has this certificate; if it is"
            f" replaced, withdraw it first: card withdraw {other}"
        )
    await _check_none_under_way(reader, change)
    return change if change.kind is CardKind.MYNUMBER else None


async def _check_none_under_way(reader: Reader, change: BegunRegistration) -> None:
    """Check that the holder has no registration of this kind that is not finished."""
    for row in await cards.registrations(reader):
        if (row.resident_id, row.kind) == (change.resident_id, change.kind.value):
            raise KeyManagementError(
                f"the registration of {row.card_ref} is under way for this holder; finish it, or"
                f" give it up first: card register cancel {row.card_ref}"
            )


def _begun(begun: wire.BegunCard, act: OperatorAct) -> BegunRegistration:
    """Return the change, after holding what came against what was signed."""
    card = begun.card if begun.certificate is None else begun.certificate
    if card is None:
        raise incomplete()
    subject = registration_subject(begun.card_ref, card, begun.resident_id, begun.occasion)
    check_subject(act, subject)
    certified = isinstance(card, bytes)
    return BegunRegistration(
        card_ref=begun.card_ref,
        kind=CardKind.MYNUMBER if certified else CardKind.JUKI,
        resident_id=begun.resident_id,
        certificate_serial=serial_of(card) if isinstance(card, bytes) else None,
        occasion=begun.occasion,
        operator=act.operator,
        subject=subject,
    )


async def _begin(judge: JudgeClient, act: wire.Act) -> BegunRegistration:
    if not isinstance(act.brought, wire.BegunCard):
        raise incomplete()
    await judge.counter_act(act.signed, card=act.brought.card)
    return _begun(act.brought, act.signed.act)


async def _approving(asked: Asked) -> CardChange | None:
    row = await _registration(asked)
    check_subject(asked.act, row.subject)
    check_other_operator(asked.believed.operators(), row.begun_by, asked.act.operator)
    if row.approved_by is not None:
        raise KeyManagementError(
            f"{row.approved_by} has approved it; next: card register try {row.card_ref}"
        )
    of_record = row.kind == CardKind.MYNUMBER.value
    return _step(asked.act, CardStep.APPROVED) if of_record else None


async def _approve(judge: JudgeClient, act: wire.Act) -> CardChange:
    await judge.counter_act(act.signed)
    return _step(act.signed.act, CardStep.APPROVED)


async def _trying(asked: Asked) -> None:
    row = await _registration(asked)
    tried = asked.brought
    if not isinstance(tried, wire.TriedCard):
        raise incomplete()
    if row.approved_by is None:
        raise KeyManagementError(
            f"it waits for a second operator: card register approve {row.card_ref}"
        )
    attempt, serial = tried.attempt, None
    if isinstance(attempt, CertificateAttempt):
        serial = serial_of(attempt.certificate)
    if serial != row.certificate_serial or tried.occasion.value != row.occasion:
        raise KeyManagementError("it is another card than was approved; nothing was registered")


async def _try(judge: JudgeClient, act: wire.Act) -> CardChange:
    """Have the trial judged; what it shows is recorded only if it was good."""
    if not isinstance(act.brought, wire.TriedCard):
        raise incomplete()
    verdict = await judge.trial(act.signed, act.brought.attempt)
    if verdict.outcome is not VerdictOutcome.RIGHT:
        why = _TRIAL_ADVICE.get(verdict.outcome, verdict.outcome.value)
        left = "" if not verdict.tries_left else f"; {verdict.tries_left} tries are left"
        raise KeyManagementError(f"the card did not work and is not registered: {why}{left}")
    return _step(act.signed.act, CardStep.REGISTERED, occasion=act.brought.occasion)


async def _cancelling(asked: Asked) -> CardChange | None:
    row = await _registration(asked)
    of_record = row.kind == CardKind.MYNUMBER.value
    return _step(asked.act, CardStep.CANCELLED) if of_record else None


async def _cancel(judge: JudgeClient, act: wire.Act) -> CardChange:
    await judge.counter_act(act.signed)
    return _step(act.signed.act, CardStep.CANCELLED)


async def _withdrawing(asked: Asked) -> CardChange | None:
    card = await _registered(asked)
    of_record = card.kind == CardKind.MYNUMBER.value
    return _step(asked.act, CardStep.WITHDRAWN) if of_record else None


async def _withdraw(judge: JudgeClient, act: wire.Act) -> CardChange:
    await judge.counter_act(act.signed)
    return _step(act.signed.act, CardStep.WITHDRAWN)


async def _unlock(judge: JudgeClient, act: wire.Act) -> CardChange:
    await judge.counter_act(act.signed, act.second)
    return _step(act.signed.act, CardStep.UNLOCKED, second=_second(act))


async def _reset(judge: JudgeClient, act: wire.Act) -> CardChange:
    if not isinstance(act.brought, wire.ResetPin):
        raise incomplete()
    await judge.counter_act(act.signed, act.second, act.brought.card)
    return _step(
        act.signed.act,
        CardStep.PIN_RESET,
        second=_second(act),
        occasion=CardOccasion.PIN_CHANGED,
    )


def _second(act: wire.Act) -> str | None:
    return None if act.second is None else act.second.act.operator


CARD_ACTS: Mapping[str, ActKind] = {
    wire.ACT_CARD_UNLOCK: ActKind(
        check=_unlocking,
        carry_out=_unlock,
        of_two=True,
        done_event="card.unlocked",
        subject_field="card_ref",
    ),
    wire.ACT_CARD_RESET_PIN: ActKind(check=_resetting, carry_out=_reset, of_two=True),
    wire.ACT_CARD_REGISTER_BEGIN: ActKind(check=_beginning, carry_out=_begin),
    wire.ACT_CARD_REGISTER_APPROVE: ActKind(check=_approving, carry_out=_approve),
    wire.ACT_CARD_REGISTER_TRY: ActKind(check=_trying, carry_out=_try),
    wire.ACT_CARD_REGISTER_CANCEL: ActKind(check=_cancelling, carry_out=_cancel),
    wire.ACT_CARD_WITHDRAW: ActKind(check=_withdrawing, carry_out=_withdraw),
}

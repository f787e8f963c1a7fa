"""Records what the counter does with cards, and tells the log."""

from issuance_server.core import records as r
from issuance_server.core.asides import CardSerial
from issuance_server.core.calendar import civil
from issuance_server.core.card_registration import BegunRegistration, CardChange, CardStep
from issuance_server.core.cards import first_usable_day
from issuance_server.core.effects import KeepAside
from issuance_server.core.facts import Now
from issuance_server.core.outcome import Outcome

_EVENTS = {  # unlocking is logged with its reason, as the act that it is
    CardStep.APPROVED: "card.registration_approved",
    CardStep.REGISTERED: "card.registered",
    CardStep.CANCELLED: "card.registration_cancelled",
    CardStep.WITHDRAWN: "card.withdrawn",
    CardStep.PIN_RESET: "card.pin_reset",
}


def change_card(change: BegunRegistration | CardChange, now: Now, out: Outcome) -> None:
    """Record a change of a card that was carried out.

    Args:
        change: what was done.
        now: the first usable day counts from the business day.
        out: takes record and log line.
    """
    if isinstance(change, BegunRegistration):
        out.write(
            r.CardRegistrationBegun(
                at_ms=now.real_ms,
                card_ref=change.card_ref,
                kind=change.kind,
                resident_id=change.resident_id,
                occasion=change.occasion,
                operator=change.operator,
                subject=change.subject,
            )
        )
        if change.certificate_serial is not None:
            serial = change.certificate_serial
            out.add(
                KeepAside(aside=CardSerial(card_ref=change.card_ref, certificate_serial=serial))
            )
        out.log("card.registration_begun", card_ref=change.card_ref, operator=change.operator)
        return
    day = None
    if change.occasion is not None:
        day = first_usable_day(change.occasion, civil(now.business_ms).date())
    out.write(
        r.CardChanged(
            at_ms=now.real_ms,
            card_ref=change.card_ref,
            step=change.step,
            operator=change.operator,
            second=change.second,
            usable_from=None if day is None else day.isoformat(),
        )
    )
    event = _EVENTS.get(change.step)
    if event is not None:
        by = {} if change.second is None else {"second": change.second}
        out.log(event, card_ref=change.card_ref, operator=change.operator, **by)

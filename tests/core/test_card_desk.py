"""What the counter does with cards: records, first usable days, and what is kept beside them."""

import pytest

from issuance_server.core import effects as e
from issuance_server.core import inputs as i
from issuance_server.core import records as r
from issuance_server.core.asides import CardSerial
from issuance_server.core.card_registration import BegunRegistration, CardChange, CardStep
from issuance_server.core.cards import CardKind, CardOccasion
from tests.core.desk import Desk
from tests.core.made import CARD_REF, RESIDENT

SERIAL = "5a" * 16


def done(desk: Desk, change: BegunRegistration | CardChange) -> None:
    """Record the end of an act that changed something."""
    desk.give(i.ActEnded(nonce=bytes(16), outcome=r.ActOutcome.DONE, change=change))


def begun(serial: str | None) -> BegunRegistration:
    return BegunRegistration(
        card_ref=CARD_REF,
        kind=CardKind.JUKI if serial is None else CardKind.MYNUMBER,
        resident_id=RESIDENT,
        certificate_serial=serial,
        occasion=CardOccasion.NEW_CARD,
        operator="mado-1",
        subject="signed",
    )


def test_serial_is_kept_beside_the_journal() -> None:
    """No record holds what others know the person by."""
    desk = Desk()
    done(desk, begun(SERIAL))

    (kept,) = desk.asked_for(e.KeepAside)
    assert CardSerial(card_ref=CARD_REF, certificate_serial=SERIAL) == kept.aside
    assert all(SERIAL.encode() not in r.encode_record(record) for record in desk.records)
    assert [{"card_ref": CARD_REF, "operator": "mado-1"}] == desk.logged("card.registration_begun")


def test_card_without_a_certificate_keeps_nothing_beside() -> None:
    """There is nothing to keep."""
    desk = Desk()
    done(desk, begun(None))

    assert [] == desk.asked_for(e.KeepAside)
    assert [CARD_REF] == [one.card_ref for one in desk.written(r.CardRegistrationBegun)]


@pytest.mark.parametrize(
    ("step", "occasion", "day"),
    [
        (CardStep.REGISTERED, CardOccasion.NEW_CARD, "2026-12-01"),
        (CardStep.REGISTERED, CardOccasion.MOVED_IN, "2026-12-01"),
        (CardStep.REGISTERED, CardOccasion.IN_USE, None),
        (CardStep.PIN_RESET, CardOccasion.PIN_CHANGED, "2026-12-01"),
        (CardStep.WITHDRAWN, None, None),
    ],
)
def test_first_usable_day_is_recorded(
    step: CardStep, occasion: CardOccasion | None, day: str | None
) -> None:
    """It counts from the business day on which it is done."""
    desk = Desk()
    second = "mado-2" if step is CardStep.PIN_RESET else None
    done(
        desk,
        CardChange(
            card_ref=CARD_REF, step=step, operator="mado-1", second=second, occasion=occasion
        ),
    )

    (changed,) = desk.written(r.CardChanged)
    assert (step, day) == (changed.step, changed.usable_from)

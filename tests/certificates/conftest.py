"""One renderer for all tests, and orders for the sample city's people."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.register import Household, Resident
from issuance_server.sample.city import ISSUER
from issuance_server.sample.records import sample_record
from issuance_server.sample.residents import sample_households
from protocol.kinds import Item, Kind, Options, Scope

OrderMaker = Callable[..., CertificateOrder]


@pytest.fixture(scope="session")
def renderer() -> CertificateRenderer:
    """A renderer with the fonts of the Python packages."""
    return CertificateRenderer()


@pytest.fixture(scope="session")
def households() -> tuple[Household, ...]:
    """The sample city."""
    return sample_households()


@pytest.fixture
def make_order(households: tuple[Household, ...]) -> OrderMaker:
    """Return a maker of orders; by default the household of five, everybody, two items."""

    def make(household: Household = households[0], **changes: Any) -> CertificateOrder:
        kind, holder_id = changes.get("kind"), changes.get("holder_id", household.head_id)
        usual = {
            "issuance_id": bytes(range(16)),
            "kind": Kind.JUMINHYO,
            "options": Options(scope=Scope.HOUSEHOLD, items=(Item.RELATIONSHIP, Item.DOMICILE)),
            "holder_id": household.head_id,
            "household": household,
            "numbers": ("20261130 豊中市 7E001 001 000012",),
            "issued_on": date(2026, 11, 30),
            "issuer": ISSUER,
            "record": sample_record(holder_id, kind) if kind else None,
        }
        return CertificateOrder(**(usual | changes))

    return make


@pytest.fixture
def make_single(households: tuple[Household, ...], make_order: OrderMaker) -> OrderMaker:
    """Return a maker of orders for the household of one, with changed fields of the resident."""

    def make(address: str = "大阪府豊中市本町1丁目902番3号", **changes: Any) -> CertificateOrder:
        (person,) = households[1].members
        changed: Resident = msgspec.structs.replace(person, **changes)
        household = msgspec.structs.replace(
            households[1], address=address, head_id=changed.resident_id, members=(changed,)
        )
        return make_order(household)

    return make

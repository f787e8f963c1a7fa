"""The sample city's records beside its resident register, by resident and kind of certificate."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

from issuance_server.certificates.order import Record
from issuance_server.core.register import Household
from issuance_server.sample.family_registers import history_of, registers_of
from issuance_server.sample.residents import sample_households
from issuance_server.sample.seals import seal_of
from issuance_server.sample.taxes import tax_record_of
from protocol.kinds import Kind


@cache
def sample_records() -> Mapping[tuple[str, Kind], Record]:
    """Return the records of the whole sample city."""
    return records_of(sample_households())


def records_of(households: Iterable[Household]) -> Mapping[tuple[str, Kind], Record]:
    """Return every record by 宛名番号 and kind; where there is none, there is no entry.

    住民票の写し and 住民票記載事項証明書 are made of the household alone and have no entries.
    """
    return MappingProxyType(
        {key: record for household in households for key, record in _of(household)}
    )


def sample_record(resident_id: str, kind: Kind) -> Record | None:
    """Return what one resident's certificate of a kind needs beside the household, or ``None``."""
    return sample_records().get((resident_id, kind))


def _of(household: Household) -> Iterator[tuple[tuple[str, Kind], Record]]:
    for member in household.members:
        if seal := seal_of(household, member):
            yield (member.resident_id, Kind.INKAN), seal
        if tax_record := tax_record_of(household, member):
            yield (member.resident_id, Kind.KAZEI), tax_record
    for register in registers_of(household):
        history = history_of(household, register)
        for person in register.people:
            if person.resident_id is None:
                continue
            yield (person.resident_id, Kind.KOSEKI_ZENBU), register
            yield (person.resident_id, Kind.KOSEKI_KOJIN), register
            yield (person.resident_id, Kind.FUHYO), history

"""The sample city's registers as a full extract, to look at and to import."""

from collections.abc import Iterator

from issuance_server.core.record_holders import record_key
from issuance_server.core.register_extract import Content, HouseholdLine, RecordLine
from issuance_server.sample.records import sample_records
from issuance_server.sample.residents import sample_households


def sample_contents() -> Iterator[Content]:
    """Yield a line for each household, then one for each record of another register."""
    for household in sample_households():
        yield HouseholdLine(household=household)
    for record in {record_key(one): one for one in sample_records().values()}.values():
        yield RecordLine(record=record)

"""The sample city's registers as a full extract, to look at and to import."""

from collections.abc import Iterator

from issuance_server.core.record_holders import record_key
from issuance_server.core.register_extract import (
    Content,
    HouseholdLine,
    RecordLine,
    SuppressionLine,
)
from issuance_server.core.register_feed import RegisterSuppression
from issuance_server.sample.records import sample_records
from issuance_server.sample.residents import sample_households
from issuance_server.sample.standings import sample_suppressions


def sample_contents() -> Iterator[Content]:
    """Yield households, then records of other registers, then what is suppressed.

    Without these an import would lift what protects people in the sample city.
    """
    for household in sample_households():
        yield HouseholdLine(household=household)
    for record in {record_key(one): one for one in sample_records().values()}.values():
        yield RecordLine(record=record)
    for noted in sample_suppressions(sample_households(), since_ms=0):
        yield SuppressionLine(
            suppression=RegisterSuppression(
                suppression_id=noted.suppression_id,
                subject_kind=noted.subject_kind,
                subject_id=noted.subject_id,
                why=noted.reason,
                level=noted.level,
                until=noted.until,
            )
        )

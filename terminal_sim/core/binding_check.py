"""Whether what came out of the seal is what was asked for, and what the city signed.

This is what the systems of 2023 lacked: a document of another applicant cannot pass, whatever went
wrong behind it. The terminal prints only what agrees in every point.
"""

from collections.abc import Iterator

from protocol.statements import signature_holds
from terminal_sim.core.records import Mismatch
from terminal_sim.core.requests import Document, DocumentFault, KeyGiven
from terminal_sim.core.state import Desk, Issuance

_OF_FAULT = {
    DocumentFault.SEAL: Mismatch.SEAL,
    DocumentFault.NOT_A_DOCUMENT: Mismatch.DOCUMENT,
    DocumentFault.OTHER_SHEETS: Mismatch.SHEETS,
}


def find_mismatch(
    issuance: Issuance, desk: Desk, given: KeyGiven, binding_keys: tuple[bytes, ...]
) -> Mismatch | None:
    """Return the first point in which a release does not fit, or None if it may be printed.

    Args:
        issuance: with its quotation.
        desk: what was applied for.
        given: the release and what it opened to. A lost spool is no mismatch and is not asked
            about here.
        binding_keys: the city's public keys, 32 bytes each; one of them must have signed.
    """
    return next(_mismatches(issuance, desk, given, binding_keys), None)


def _mismatches(
    issuance: Issuance, desk: Desk, given: KeyGiven, binding_keys: tuple[bytes, ...]
) -> Iterator[Mismatch]:
    binding, applied = given.binding, issuance.applied
    stated = binding.statement()
    if not any(signature_holds(key, given.binding_signature, stated) for key in binding_keys):
        yield Mismatch.SIGNATURE
    if not issuance.issuance_id == binding.issuance_id == given.issuance_id:
        yield Mismatch.ISSUANCE
    if binding.request_digest != applied.request_digest:
        yield Mismatch.REQUEST
    if binding.kind is not applied.kind:
        yield Mismatch.KIND
    if binding.options != desk.options:
        yield Mismatch.OPTIONS
    if not len(set(binding.numbers)) == len(binding.numbers) == applied.copies:
        yield Mismatch.NUMBERS
    if isinstance(given.document, DocumentFault):
        yield _OF_FAULT[given.document]
        return
    yield from _in_document(issuance, given, given.document)


def _in_document(issuance: Issuance, given: KeyGiven, document: Document) -> Iterator[Mismatch]:
    if document.file_digest != given.binding.file_digest:
        yield Mismatch.FILE
    if document.pages != given.binding.pages:
        yield Mismatch.PAGES
    if issuance.quoted is None or len(document.pages) != issuance.quoted.sheets:
        yield Mismatch.SHEETS

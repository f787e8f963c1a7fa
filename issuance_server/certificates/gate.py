"""The server's own gate: what came back from a worker is the document that was ordered.

A second look with other eyes than the writer's: the file is parsed again by an independent library
and held against the order, so that a worker's mix-up is never sealed or signed. (That the text is
the holder's is proved when the final gate reads it; see ``docs/security.md``.)
"""

import io

import pikepdf

from issuance_server.certificates.order import CertificateOrder, Rendered
from protocol.errors import MalformedTelegram
from protocol.page_digest import page_digests


def gate_fault(order: CertificateOrder, rendered: Rendered) -> str | None:
    """Return what is not as ordered, as a word for the alarm; None if everything is.

    Checks that the file carries the order's issuance id, that it has so many sheets in each copy,
    and that the page digests which the city will sign are those of this very file.
    """
    try:
        digests = page_digests(rendered.pdf)
        with pikepdf.open(io.BytesIO(rendered.pdf)) as document:
            document_id = bytes(document.trailer["/ID"][0])
    except (MalformedTelegram, pikepdf.PdfError, KeyError, IndexError):
        return "unreadable"
    if document_id != order.issuance_id.hex().encode():
        return "another-document"
    copies = len(order.numbers)
    if len(digests) != rendered.sheets or rendered.sheets != copies * rendered.sheets_per_copy:
        return "sheets-miscounted"
    return None if digests == rendered.page_digests else "pages-differ"

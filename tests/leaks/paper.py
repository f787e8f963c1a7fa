"""Certificates for watched cities: the real ones, and cheap ones whose size tells the names."""

import hashlib
from functools import cache

from issuance_server.certificates.order import CertificateOrder, Rendered
from issuance_server.certificates.render import CertificateRenderer
from protocol.kinds import Scope
from protocol.page_digest import page_digests

MEMBERS_PER_SHEET = 4
BYTES_PER_LETTER = 1_500


@cache
def _renderer() -> CertificateRenderer:
    return CertificateRenderer()


def real_certificate(order: CertificateOrder) -> Rendered:
    """Return what the real renderer makes."""
    return _renderer().render(order)


def cheap_certificate(order: CertificateOrder) -> Rendered:
    """Return a PDF that grows by many bytes with each letter of a name or an address."""
    household, options = order.household, order.options
    printed = {
        Scope.SELF: [
            member for member in household.members if member.resident_id == order.holder_id
        ],
        Scope.HOUSEHOLD: list(household.members),
        Scope.SOME: [household.members[number - 1] for number in options.members],
    }[options.scope]
    letters = len(household.address) + sum(len(member.name + member.kana) for member in printed)
    sheets_per_copy = -(-len(printed) // MEMBERS_PER_SHEET)
    sheets = sheets_per_copy * len(order.numbers)
    seed = "".join(member.name for member in printed).encode()
    content = hashlib.shake_256(seed).hexdigest(letters * BYTES_PER_LETTER // 2)
    pdf = _pdf(f"% {content}".encode(), sheets, order.issuance_id)
    return Rendered(
        pdf=pdf, sheets=sheets, sheets_per_copy=sheets_per_copy, sheet_digests=page_digests(pdf)
    )


def _pdf(content: bytes, sheets: int, issuance_id: bytes) -> bytes:
    """Return a PDF of sheets that all show the same."""
    kids = " ".join(f"{4 + sheet} 0 R" for sheet in range(sheets))
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Contents 3 0 R >>"
    )
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {sheets} >>".encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        *([page] * sheets),
    ]
    made, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    name = issuance_id.hex().encode()
    return made + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R /ID [(%s) (%s)] >>\n"
        b"startxref\n%d\n%%%%EOF\n"
        % (len(bodies) + 1, rows, len(bodies) + 1, name, name, len(made))
    )

"""What binds the paper to the applicant: the statement that 2023's systems lacked.

The release carries the city's signature over this value. The terminal prints only when every field
is what it asked for and the sheets that it decrypted are, one by one, the ones named here
(TP-071).
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from protocol import limits
from protocol.fields import Digest, Id, Name
from protocol.kinds import Kind, Options
from protocol.statements import statement


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """Names one document and whom it is for.

    Attributes:
        issuance_id: 16 bytes.
        request_digest: SHA-256 of the plaintext of the ``apply`` that asked for it.
        holder: the card's random reference; no name and no number.
        kind: the kind of certificate.
        options: as applied for.
        numbers: 発行番号 of each copy, without page numbers.
        file_digest: SHA-256 of the PDF file.
        pages: for every sheet in order, its sheet digest (``sheet_digest.sheet_digests``).
    """

    issuance_id: Id
    request_digest: Digest
    holder: Name
    kind: Kind
    options: Options
    numbers: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=limits.COPIES_MAX)]
    file_digest: Digest
    pages: Annotated[tuple[Digest, ...], Meta(min_length=1, max_length=limits.SHEETS_MAX)]

    def statement(self) -> bytes:
        """Return the bytes that the city signs (TP-070)."""
        options = self.options
        return statement(
            "binding",
            self.issuance_id,
            self.request_digest,
            self.holder,
            self.kind.value,
            options.scope.value,
            options.members,
            [item.value for item in options.items],
            self.numbers,
            self.file_digest,
            self.pages,
        )

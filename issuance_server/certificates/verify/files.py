"""Files in, what is found on their sheets out: for the command, and for the verification page."""

from collections.abc import Iterator, Mapping, Sequence

from PIL import Image

from issuance_server.certificates.reading.sheets import PDF_BYTES_MAX
from issuance_server.certificates.verify.documents import found_in_pdf
from issuance_server.certificates.verify.pictures import (
    PICTURE_BYTES_MAX,
    PictureUnreadable,
    pictures,
)
from issuance_server.certificates.verify.scanned_pdf import is_scanned, scanned_pages
from issuance_server.certificates.verify.scans import ScannedSheet, found_in_scans
from protocol.secret import Secret

FILES_MAX = 80
"""A face and a back for each of the sheets that one issuance may have."""
FILE_BYTES_MAX = max(PDF_BYTES_MAX, PICTURE_BYTES_MAX)

_PDF_BEGINNING = b"%PDF-"


def found_in_files(
    contents: Sequence[bytes], public_keys: Mapping[bytes, bytes], secrets: Sequence[Secret]
) -> tuple[ScannedSheet, ...]:
    """Return what is found on the sheets of some files, at least one, for ``verdict.judge``.

    A certificate's PDF is judged by itself, line by line. Pictures, and PDFs that hold nothing
    but pictures, are scanned sides in the order in which they come: a face and a back that follow
    each other, in one file or two, are one sheet.

    Args:
        contents: PDF, PNG, JPEG or TIFF files; 1 to ``FILES_MAX``.
        public_keys: the city's keys by ``key_id``.
        secrets: the city's secrets of backs, the newest first; without any no back is compared.

    Raises:
        PictureUnreadable: there are too many, or one is no picture, damaged, or too large.
        Unreadable: a PDF is damaged.
    """
    if not 1 <= len(contents) <= FILES_MAX:
        raise PictureUnreadable(f"from 1 to {FILES_MAX} files are verified at once")
    found: list[ScannedSheet] = []
    scans: list[bytes] = []
    for content in contents:
        if content.startswith(_PDF_BEGINNING) and not is_scanned(content):
            found += found_in_scans(_sides(scans), public_keys, secrets)
            scans.clear()
            found += found_in_pdf(content, public_keys, secrets)
        else:
            scans.append(content)
    found += found_in_scans(_sides(scans), public_keys, secrets)
    return tuple(found)


def _sides(contents: Sequence[bytes]) -> Iterator[Image.Image]:
    """Yield the scanned sides, one at a time: many of them are large."""
    for content in contents:
        is_pdf = content.startswith(_PDF_BEGINNING)
        yield from scanned_pages(content) if is_pdf else pictures(content)

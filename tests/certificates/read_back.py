"""Reads finished certificates back with PDFium, as somebody who copies their text would."""

import pypdfium2

from issuance_server.certificates.order import CertificateOrder
from issuance_server.certificates.render import CertificateRenderer


def texts(pdf: bytes) -> list[str]:
    """Return each page's text."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def rendered_texts(renderer: CertificateRenderer, order: CertificateOrder) -> list[str]:
    """Return the text of each sheet of an order's certificate."""
    return texts(renderer.render(order).pdf)


def black_box_mm(
    pdf: bytes, page: int, region: tuple[float, float, float, float]
) -> tuple[float, float]:
    """Return width and height in mm of what is black within a region of a page.

    Args:
        pdf: the file.
        page: from 0.
        region: left, top, right and bottom in mm from the upper left corner.
    """
    dots_per_mm = 10
    with pypdfium2.PdfDocument(pdf) as document:
        bitmap = document[page].render(scale=dots_per_mm * 25.4 / 72, grayscale=True)
    rows, stride = bytes(bitmap.buffer), bitmap.stride
    left, top, right, bottom = (round(edge * dots_per_mm) for edge in region)
    dark = [
        (x, y)
        for y in range(top, bottom)
        for x in range(left, right)
        if rows[y * stride + x] < 96  # darker than tint and hair lines
    ]
    xs, ys = [x for x, _ in dark], [y for _, y in dark]
    return (max(xs) - min(xs) + 1) / dots_per_mm, (max(ys) - min(ys) + 1) / dots_per_mm

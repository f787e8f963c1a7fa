"""The QR code (ISO/IEC 18004) that carries a signed claim as a link.

The claim stands in the fragment of the link, which a browser never sends to a server: whoever opens
it with a telephone's camera tells the city nothing but that he looks. It is written in Base32
(RFC 4648 §6) without padding, since QR codes hold capitals and digits in less room than bytes.
"""

import base64
import binascii
from dataclasses import dataclass

import numpy as np
import zxingcpp

from issuance_server.certificates.code.claim import COSE_BYTES_MAX, CodeUnreadable
from protocol.errors import SetUpError

MODULE_MM_MIN = 0.42
"""A module is no smaller, so that a 200-dpi scan of a copier's print can still be read."""
MODULES_MAX = 69
"""Of a version 13 code, the largest that fits the room on the sheet."""
QUIET_MODULES = 4
LINK_CHARACTERS_MAX = 900

_DATA_MASK = 3  # any mask makes a valid code; trying all eight costs ten times as long
_LEVEL = "M"
BLACK = 0
_BASE32_GROUP = 8
_BASE32_BITS = 5
_BASE32 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", np.uint8)
_BASE32_WEIGHTS = np.array([16, 8, 4, 2, 1], np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A square of modules.

    Attributes:
        modules: modules on a side, without the quiet zone.
        rows: one bit a module, a set bit is black; every row begins in a new byte.
    """

    modules: int
    rows: bytes


def link(base: str, cose: bytes) -> str:
    """Return the link that the code holds.

    Args:
        base: address of the verification page, without a fragment.
        cose: the signed claim.
    """
    return f"{base}#{_base32(cose)}"


def _base32(content: bytes) -> str:
    """Write bytes in Base32 without padding; ``base64`` takes seven times as long for it."""
    bits = np.unpackbits(np.frombuffer(content, np.uint8))
    filled = np.concatenate((bits, np.zeros(-len(bits) % _BASE32_BITS, np.uint8)))
    places = filled.reshape(-1, _BASE32_BITS) @ _BASE32_WEIGHTS
    letters: bytes = _BASE32[places].tobytes()
    return letters.decode("ascii")


def claim_bytes(text: str) -> bytes:
    """Return the signed claim that a link holds, wherever the link leads.

    Raises:
        CodeUnreadable: the text is no such link.
    """
    fragment = text.partition("#")[2] or text
    if not fragment or len(fragment) > LINK_CHARACTERS_MAX:
        raise CodeUnreadable("the code holds no claim")
    padding = "=" * (-len(fragment) % _BASE32_GROUP)
    try:
        cose = base64.b32decode(fragment + padding)
    except (binascii.Error, ValueError):
        raise CodeUnreadable("the code holds no claim") from None
    if not cose or len(cose) > COSE_BYTES_MAX:
        raise CodeUnreadable("the code holds no claim")
    return cose


def symbol(text: str) -> Symbol:
    """Return the QR code of a link, error correction level M.

    Raises:
        SetUpError: the address of the verification page is too long for the room on the sheet.
    """
    made = zxingcpp.create_barcode(
        text, zxingcpp.BarcodeFormat.QRCode, ec_level=_LEVEL, data_mask=_DATA_MASK
    )
    image = np.asarray(made.to_image(scale=1, add_quiet_zones=False))
    width = image.shape[1]
    if width > MODULES_MAX:
        raise SetUpError("the address of the verification page is too long for the code on a sheet")
    return Symbol(modules=width, rows=np.packbits(image == BLACK, axis=1).tobytes())

"""The colour space sRGB (IEC 61966-2-1) as an ICC profile, for the output intent of PDF/A.

Six hundred bytes, always the same: a matrix profile of version 4.2 (ICC.1:2004-10) whose three
channels share one curve. Its day is that of the version of this file, not that of a run.
"""

import struct

_VERSION = 0x04200000
_DAY = (2026, 11, 1, 0, 0, 0)
_D50 = (0.9642, 1.0, 0.8249)
_HEADER_BYTES = 128
_TAG_ENTRY_BYTES = 12
_ALIGNMENT = 4
_PERCEPTUAL = 0

_PRIMARIES = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.71410),
}
"""Adapted from D65 to D50 with the Bradford matrix, as the profile's connection space wants."""
_ADAPTATION = (
    *(1.04788, 0.02292, -0.05022),
    *(0.02959, 0.99048, -0.01707),
    *(-0.00925, 0.01508, 0.75168),
)
_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""Parametric curve of type 3: (a x + b) to the power of g from d on, c x below."""


def srgb_profile() -> bytes:
    """Return the profile."""
    curve = b"para" + struct.pack(">IHH", 0, 3, 0) + _fixed(_CURVE)
    tags = {
        b"desc": _text("sRGB"),
        b"cprt": _text("CC0"),
        b"wtpt": _colour(_D50),
        b"chad": b"sf32" + bytes(4) + _fixed(_ADAPTATION),
        **{name: _colour(primary) for name, primary in _PRIMARIES.items()},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body, places = [], b"", {}
    start = _HEADER_BYTES + 4 + _TAG_ENTRY_BYTES * len(tags)
    for name, element in tags.items():
        if element not in places:
            places[element] = start + len(body)
            body += element + bytes(-len(element) % _ALIGNMENT)
        table.append(struct.pack(">4sII", name, places[element], len(element)))
    header = struct.pack(
        ">I4xI4s4s4s6H4s24xI12s48x",
        start + len(body),
        _VERSION,
        *(b"mntr", b"RGB ", b"XYZ "),
        *_DAY,
        b"acsp",
        _PERCEPTUAL,
        _fixed(_D50),
    )
    return header + struct.pack(">I", len(tags)) + b"".join(table) + body


def _fixed(numbers: tuple[float, ...]) -> bytes:
    """Return numbers with sixteen binary places."""
    return b"".join(struct.pack(">i", round(number * 0x10000)) for number in numbers)


def _colour(xyz: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(xyz)


def _text(words: str) -> bytes:
    """Return words as a text in many languages that has one."""
    encoded = words.encode("utf-16-be")
    head = struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(encoded), 28)
    return head + encoded

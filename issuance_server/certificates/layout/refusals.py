"""Refusals that name what is to be corrected: the item, and before it the entry that it is part of.

Fonts and fields know that a text cannot be set, not whose text it is. Fields carry their item's
name; who sets the fields of an entry puts the entry's name before it. An operator then reads
``世帯員2 氏名``, as for a record that breaks a rule, and never what the item says.
"""

from issuance_server.certificates.order import CertificateRefused


def named(refused: CertificateRefused, name: str) -> CertificateRefused:
    """Return a refusal again with a name before its item.

    Args:
        refused: of a part.
        name: of the item, or of the entry or event around it; may be empty.
    """
    names = (name, refused.item)
    return CertificateRefused(refused.reason, " ".join(filter(None, names)))

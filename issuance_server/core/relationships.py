"""続柄: the words for a member's place in a household, and which chains of them can be.

The vocabulary is that of 標準仕様書 §1.1.11. Words are joined by の, over four generations at most;
who is further away is 縁故者.
"""

import itertools

from issuance_server.core.register import HEAD, Sex

LINKS_MAX = 4
"""Words in one chain, such as the four of 妻の父の弟の子."""

SPOUSES = frozenset({"夫", "妻", "夫(未届)", "妻(未届)"})
CHILDREN = frozenset({"子", "子(子の夫)", "子(子の妻)"})
KIN = frozenset({"父", "母", "兄", "姉", "弟", "妹"})
ALONE = frozenset({HEAD, "縁故者", "同居人", "子(子の夫)", "子(子の妻)"})
"""Words that are never part of a chain."""
LINKS = (SPOUSES | CHILDREN | KIN) - ALONE

_MALE = frozenset({"夫", "夫(未届)", "父", "兄", "弟", "子(子の夫)"})
_FEMALE = frozenset({"妻", "妻(未届)", "母", "姉", "妹", "子(子の妻)"})


def links_of(relationship: str) -> tuple[str, ...]:
    """Return the words of a chain; a の within brackets joins nothing."""
    if relationship in ALONE:
        return (relationship,)
    return tuple(relationship.split("の"))


def is_possible(relationship: str, sex: Sex) -> bool:
    """Tell whether a 続柄 is of the vocabulary and can be said of a person.

    The spouse of a spouse is the person from whom the chain set out, and 弟 is no woman: neither
    is in a household.
    """
    links = links_of(relationship)
    if links[-1] in (_FEMALE if sex is Sex.MALE else _MALE):
        return False
    if links == (relationship,) and relationship in ALONE:
        return True
    if len(links) > LINKS_MAX or not all(link in LINKS for link in links):
        return False
    pairs = itertools.pairwise(links)
    return not any(one in SPOUSES and other in SPOUSES for one, other in pairs)

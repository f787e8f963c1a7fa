"""What can be chosen for each kind of certificate, and which register it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from protocol.kinds import Item, Kind, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an applicant can choose for a kind.

    Attributes:
        scopes: whom it can cover; for a family register the *household* is everybody in it.
        items: what can be printed beside what always is, if the city offers the item.
        of_record: whether it is made of a record of another register than the residents', which
            not every holder has.
    """

    scopes: frozenset[Scope] = frozenset({Scope.SELF})
    items: frozenset[Item] = frozenset()
    of_record: bool = True


SCOPES = (Scope.SELF, Scope.HOUSEHOLD, Scope.SOME)
"""In the order of the menu."""

_OF_RESIDENTS = Choices(scopes=frozenset(Scope), items=frozenset(Item), of_record=False)
_HOLDER_ALONE = Choices()
_HOLDER_OR_ALL = frozenset({Scope.SELF, Scope.HOUSEHOLD})

CHOICES: Mapping[Kind, Choices] = MappingProxyType(
    {
        Kind.JUMINHYO: _OF_RESIDENTS,
        Kind.KISAIJIKO: _OF_RESIDENTS,
        Kind.INKAN: _HOLDER_ALONE,
        Kind.KAZEI: _HOLDER_ALONE,
        Kind.KOSEKI_ZENBU: Choices(scopes=_HOLDER_OR_ALL),
        Kind.KOSEKI_KOJIN: _HOLDER_ALONE,
        Kind.FUHYO: Choices(scopes=_HOLDER_OR_ALL, items=frozenset({Item.DOMICILE})),
    }
)

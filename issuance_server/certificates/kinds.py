"""What is made for each kind: what it says (content), and how it looks (layout)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from issuance_server.certificates.content import fuhyo, inkan, juminhyo, kazei, kisaijiko, koseki
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.layout import fuhyo as fuhyo_layout
from issuance_server.certificates.layout import inkan as inkan_layout
from issuance_server.certificates.layout import juminhyo as juminhyo_layout
from issuance_server.certificates.layout import kazei as kazei_layout
from issuance_server.certificates.layout import kisaijiko as kisaijiko_layout
from issuance_server.certificates.layout import koseki as koseki_layout
from issuance_server.certificates.layout.display import Mark, Page
from issuance_server.certificates.order import CertificateOrder, Issuer
from protocol.kinds import Kind

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True, kw_only=True)
class Making(Generic[Said]):
    """How one kind of certificate is made. A city's own layout is another one of these.

    Attributes:
        say: what one copy says; refuses what cannot be certified.
        set: the sheets of one copy, without their numbers.
        forms: what is the same on every certificate: marks by the name under which sheets place
            them.
    """

    say: Callable[[CertificateOrder], Said]
    set: Callable[[FontList, Said], tuple[Page, ...]]
    forms: Callable[[FontList, Issuer], Mapping[str, Sequence[Mark]]]


_KOSEKI = Making(say=koseki.certificate, set=koseki_layout.pages, forms=koseki_layout.forms)

MAKINGS: Mapping[Kind, Making[Any]] = MappingProxyType(
    {
        Kind.JUMINHYO: Making(
            say=juminhyo.sheets, set=juminhyo_layout.pages, forms=juminhyo_layout.forms
        ),
        Kind.KISAIJIKO: Making(
            say=kisaijiko.sheets, set=kisaijiko_layout.pages, forms=kisaijiko_layout.forms
        ),
        Kind.INKAN: Making(say=inkan.certificate, set=inkan_layout.pages, forms=inkan_layout.forms),
        Kind.KAZEI: Making(say=kazei.certificate, set=kazei_layout.pages, forms=kazei_layout.forms),
        Kind.KOSEKI_ZENBU: _KOSEKI,
        Kind.KOSEKI_KOJIN: _KOSEKI,
        Kind.FUHYO: Making(say=fuhyo.certificate, set=fuhyo_layout.pages, forms=fuhyo_layout.forms),
    }
)

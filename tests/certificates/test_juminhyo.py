"""What a 住民票の写し says: who is on it, what is marked, which words certify it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from issuance_server.certificates.content import juminhyo
from issuance_server.certificates.content.common import MARK
from issuance_server.certificates.order import CertificateOrder, CertificateRefused
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core.register import Household, RegisterDate
from protocol.kinds import Item, Options, Scope
from tests.certificates.read_back import rendered_texts

OrderMaker = Callable[..., CertificateOrder]


def names(order: CertificateOrder) -> list[list[str]]:
    """Return the names on each sheet."""
    return [[entry.name for entry in sheet.entries] for sheet in juminhyo.sheets(order)]


def test_five_people_take_two_sheets(make_order: OrderMaker) -> None:
    """Four members fit a sheet; the fifth is number 5 on the next."""
    first, second = juminhyo.sheets(make_order())
    assert ["1", "2", "3", "4"] == [entry.position for entry in first.entries]
    assert ["5"] == [entry.position for entry in second.entries]


def test_nine_people_take_three_sheets(
    make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """Head, wife, child, the child's family, parents, brother, in this order."""
    sheets = juminhyo.sheets(make_order(households[2]))
    expected = ["世帯主", "妻", "子", "子の妻", "子の子", "子の子", "父", "母", "弟"]
    assert expected == [entry.relationship for sheet in sheets for entry in sheet.entries]
    assert [4, 4, 1] == [len(sheet.entries) for sheet in sheets]


@pytest.mark.parametrize(
    ("options", "people", "sentence"),
    [
        (Options(scope=Scope.SELF), ["見本　優子"], juminhyo.HOLDER_ALONE),
        (
            Options(scope=Scope.SOME, members=(5, 1, 5)),
            ["見本　健", "見本　三春"],
            juminhyo.PART_OF_HOUSEHOLD,
        ),
        (
            Options(scope=Scope.SOME, members=(1, 2, 3, 4, 5)),
            ["見本　健", "見本　優子", "見本　一葉", "見本　二郎", "見本　三春"],
            juminhyo.WHOLE_HOUSEHOLD,
        ),
    ],
)
def test_the_scope_names_people_and_words(
    make_order: OrderMaker,
    households: tuple[Household, ...],
    options: Options,
    people: list[str],
    sentence: str,
) -> None:
    """The holder alone, some members, or a choice that is everybody."""
    holder_id = households[0].members[1].resident_id
    order = make_order(options=options, holder_id=holder_id)
    assert people == [name for sheet in names(order) for name in sheet]
    attestation = juminhyo.sheets(order)[-1].attestation
    assert attestation is not None
    assert sentence == attestation.sentence


def test_the_certifying_words_are_on_the_last_sheet_only(
    make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """Of three sheets the third is certified, by the mayor with the prefecture."""
    *others, last = juminhyo.sheets(make_order(households[2]))
    assert [None, None] == [sheet.attestation for sheet in others]
    assert last.attestation is not None
    assert "令和8年11月30日" == last.attestation.issued_on
    assert "大阪府豊中市長　見本　太郎" == last.attestation.authority


@pytest.mark.parametrize(
    ("items", "shown"),
    [
        ((), {}),
        ((Item.RELATIONSHIP,), {"relationship": "世帯主", "head": "見本　健"}),
        (
            (Item.DOMICILE,),
            {"domicile": "大阪府豊中市中桜塚3丁目901番", "register_head": "見本　健"},
        ),
        ((Item.MY_NUMBER,), {"my_number": "900000000002"}),
    ],
)
def test_what_was_not_asked_for_is_marked(
    make_order: OrderMaker, items: tuple[Item, ...], shown: dict[str, str]
) -> None:
    """Relationship, domicile and My Number appear only when chosen; each by itself."""
    (sheet,) = juminhyo.sheets(make_order(options=Options(scope=Scope.SELF, items=items)))
    (entry,) = sheet.entries
    optional = ("relationship", "domicile", "register_head", "my_number")
    seen = {name: getattr(entry, name) for name in optional} | {"head": sheet.head}
    assert dict.fromkeys((*optional, "head"), MARK) | shown == seen


def test_odd_dates_are_said_as_registered(
    make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """Words that are no day, or a day with two names, stay the register's words."""
    births = {
        entry.birth
        for household in households[:20]
        for sheet in juminhyo.sheets(make_order(household))
        for entry in sheet.entries
    }
    assert {"昭和20年月日不詳", "推定昭和25年頃", "昭和46年2月29日"} <= births
    assert {"大正15年12月25日", "明治45年7月30日", "1969年月日不詳"} <= births


@pytest.mark.parametrize(
    "changes",
    [
        {"holder_id": "99999999"},
        {"options": Options(scope=Scope.SOME)},
        {"options": Options(scope=Scope.SOME, members=(1, 6))},
        {"holder_id": "99999999", "options": Options(scope=Scope.SOME, members=(1,))},
    ],
)
def test_people_outside_the_household_are_refused(
    make_order: OrderMaker, changes: dict[str, Any]
) -> None:
    """An unknown holder, nobody at all, and a number beyond the last are refused."""
    with pytest.raises(CertificateRefused) as caught:
        juminhyo.sheets(make_order(**changes))
    assert caught.value.reason == "member-unknown"


def foreigner(households: tuple[Household, ...]) -> Household:
    """Return the household of a Japanese mother and child and a foreign father."""
    return households[15]


def test_a_foreign_resident_has_other_items(
    make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """Birth and end of stay are in our era, the other dates in the Japanese; there is no 本籍."""
    options = Options(scope=Scope.HOUSEHOLD, items=(Item.DOMICILE,))
    (sheet,) = juminhyo.sheets(make_order(foreigner(households), options=options))
    mother, father, _ = sheet.entries
    assert mother.foreign is None
    assert father.foreign is not None
    assert ("1988年10月9日", "2029年7月31日") == (father.birth, father.foreign.until)
    assert "令和元年8月1日" == father.became_resident_on
    assert (MARK, MARK) == (father.domicile, father.register_head)
    assert ("英国", "中長期在留者") == (father.foreign.nationality, father.foreign.category)
    assert ("日本人の配偶者等", "5年") == (father.foreign.status, father.foreign.period)
    assert ("ZZ00000001ZZ", "架空　丈") == (father.foreign.card_number, father.foreign.alias)


def test_status_is_omitted_like_the_domicile(
    make_order: OrderMaker, households: tuple[Household, ...]
) -> None:
    """Without that item nationality and status are marked; the 通称 is a name and stays."""
    options = Options(scope=Scope.HOUSEHOLD)
    (sheet,) = juminhyo.sheets(make_order(foreigner(households), options=options))
    foreign = sheet.entries[1].foreign
    assert foreign is not None
    hidden = (foreign.nationality, foreign.category, foreign.status, foreign.period)
    assert {MARK} == {*hidden, foreign.until, foreign.card_number}
    assert "架空　丈" == foreign.alias


def test_a_my_number_that_is_asked_for_and_missing_refuses(
    make_single: OrderMaker,
) -> None:
    """Nobody gets a certificate on which the number that was asked for is marked."""
    options = Options(scope=Scope.SELF, items=(Item.MY_NUMBER,))
    order = msgspec.structs.replace(make_single(my_number=None), options=options)
    with pytest.raises(CertificateRefused) as caught:
        juminhyo.sheets(order)
    assert ("record-incomplete", "個人番号") == (caught.value.reason, caught.value.item)


def test_long_remarks_take_two_lines(
    renderer: CertificateRenderer, make_single: OrderMaker
) -> None:
    """What the register remarks is printed whole."""
    remarks = "令和7年5月26日氏名の振り仮名を記載。" * 3
    (text,) = rendered_texts(renderer, make_single(remarks=remarks))
    assert remarks in "".join(text.split())


@pytest.mark.parametrize(
    ("changes", "reason", "item"),
    [
        ({"name": "　"}, "record-incomplete", "世帯員1 氏名"),
        ({"domicile": None}, "record-incomplete", "世帯員1 本籍・筆頭者"),
        ({"birth": RegisterDate(text="")}, "record-incomplete", "世帯員1 生年月日"),
        ({"birth": RegisterDate(text="平成31年5月7日")}, "date-impossible", "世帯員1 生年月日"),
        ({"relationship": "祖父"}, "relationship-impossible", "世帯員1 続柄"),
        ({"resident_id": "10000011"}, "record-inconsistent", "世帯員1 宛名番号"),
    ],
)
def test_a_record_that_breaks_a_rule_is_refused(
    make_single: OrderMaker,
    households: tuple[Household, ...],
    changes: dict[str, Any],
    reason: str,
    item: str,
) -> None:
    """The refusal names rule and item, and nothing of what the record says."""
    order = make_single(**changes)
    with pytest.raises(CertificateRefused) as caught:
        juminhyo.sheets(order)
    assert (reason, item) == (caught.value.reason, caught.value.item)
    assert item in str(caught.value)
    assert households[1].head.name not in str(caught.value)

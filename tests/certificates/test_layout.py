"""Layout: texts stay within their fields, the seal within 25 mm, fields beside one another."""

import re

import pytest

from issuance_server.certificates.content.juminhyo import ENTRIES_PER_SHEET
from issuance_server.certificates.fonts import FontList
from issuance_server.certificates.kinds import MAKINGS
from issuance_server.certificates.layout import (
    fuhyo,
    furniture,
    inkan,
    juminhyo,
    kazei,
    kisaijiko,
    koseki,
)
from issuance_server.certificates.layout.display import (
    MM_PT,
    SHEET_HEIGHT_PT,
    SHEET_WIDTH_PT,
    Box,
    Field,
    Shade,
)
from issuance_server.certificates.layout.members import EntryForm, MemberTable
from issuance_server.certificates.layout.seal import seal
from issuance_server.certificates.layout.typesetting import SHRINK_MIN, set_line
from issuance_server.certificates.order import CertificateRefused
from issuance_server.core.eras import is_possible_date
from issuance_server.core.register import Sex
from issuance_server.core.relationships import is_possible
from issuance_server.core.seal_register import SEAL_SIDE_MM_MAX
from issuance_server.sample.city import ISSUER
from protocol.kinds import Kind
from tools.gallery.samples import SAMPLES

SEAL_MM_MAX = 25
LONGEST_RELATIONSHIP = "夫(未届)の子の夫(未届)の子"
LONGEST_DATE = "令和10年10月10日から20日までの間"


@pytest.fixture(scope="module")
def fonts() -> FontList:
    """The fonts of the Python packages."""
    return FontList()


def field(width: float, align: str = "left") -> Field:
    """Return a field of this inner width for ten-point type."""
    box = Box(x=100, y=200, width=width, height=20)
    return Field(box=box, size_pt=10, align=align, padding_pt=0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("characters", "size"), [(1, 10), (10, 10), (12, 8.33), (16, 6.25)])
def test_a_long_text_is_set_smaller(fonts: FontList, characters: int, size: float) -> None:
    """The type shrinks as far as needed and stays within the field."""
    line = set_line(fonts, field(100), "豊" * characters)
    assert size == line.size_pt
    assert line.size_pt * characters <= 100


def test_type_does_not_shrink_beyond_reading(fonts: FontList) -> None:
    """Past the bound the certificate is refused, never cut."""
    most = int(100 / (10 * SHRINK_MIN))
    set_line(fonts, field(100), "豊" * most)
    with pytest.raises(CertificateRefused) as caught:
        set_line(fonts, field(100), "豊" * (most + 1))
    assert caught.value.reason == "text-too-long"


def test_labels_are_spread_and_centred(fonts: FontList) -> None:
    """Three characters fill the width; two keep a gap of one and a half."""
    three = set_line(fonts, field(50, "spread"), "世帯主")
    assert (100, 10) == (three.x, three.spacing_pt)
    two = set_line(fonts, field(90, "spread"), "住所")
    assert (127.5, 15) == (two.x, two.spacing_pt)


def test_an_empty_text_is_an_empty_line(fonts: FontList) -> None:
    """Nothing is set where nothing is said."""
    assert () == set_line(fonts, field(10), "").glyphs


@pytest.mark.parametrize("text", ["豊中市長之印", "豊中市長職務代理者之印", "見本市長印"])
def test_the_seal_is_within_25_mm(fonts: FontList, text: str) -> None:
    """Every coordinate of the drawing lies in the square; it is black."""
    operators = seal(fonts, text, 100.0, 200.0).operators.decode("ascii")
    side = SEAL_MM_MAX * MM_PT
    points = re.findall(r"(-?[\d.]+) (-?[\d.]+) [ml]\b", operators)
    assert points
    for x, y in points:
        assert 100 <= float(x) <= 100 + side
        assert 200 <= float(y) <= 200 + side
    assert operators.startswith("q 0 g 0 G")


def test_every_field_names_its_item() -> None:
    """Whatever a record says and cannot be set, the refusal tells the operator which item it is."""
    forms = [
        form
        for table in (juminhyo.TABLE, kisaijiko.TABLE)
        for form in (table.japanese, table.foreign)
    ]
    filled = [
        field
        for form in forms
        for fields in (form.values, form.foreign_values, form.paragraphs)
        for field in fields.values()
    ]
    filled += [field for table in (juminhyo, kisaijiko) for field in table._HEAD_VALUES.values()]
    filled += [*inkan.VALUES.values(), inkan.REMARKS]
    filled += [field for field in kazei._FIELDS if field not in kazei._NEVER_FILLED]
    filled += [koseki._DOMICILE, koseki._NAME]
    filled += [*fuhyo._REGISTER_VALUES.values(), fuhyo._MADE, *fuhyo._PERSON_VALUES.values()]
    filled += [fuhyo.REMOVED_NAME, *fuhyo._ADDRESS[1:], furniture.AUTHORITY, furniture.NUMBER]
    assert len(filled) > 100
    assert [] == [field.box for field in filled if not field.item]


@pytest.mark.parametrize(
    "fields",
    [
        juminhyo.JAPANESE.values,
        kisaijiko.JAPANESE.values,
        {**fuhyo._PERSON_VALUES, "relationship": None},
    ],
    ids=["juminhyo", "kisaijiko", "fuhyo"],
)
def test_the_longest_words_of_the_standard_fit(
    fonts: FontList, fields: dict[str, Field | None]
) -> None:
    """A 続柄 of four generations, and a birth between two days, are no reason to refuse."""
    assert is_possible(LONGEST_RELATIONSHIP, Sex.MALE)
    assert is_possible_date(LONGEST_DATE, None)
    for name, words in (("relationship", LONGEST_RELATIONSHIP), ("birth", LONGEST_DATE)):
        place = fields[name]
        if place is not None:
            assert words == set_line(fonts, place, words).text


def test_a_seal_may_have_variants(fonts: FontList) -> None:
    """A character with its variation selector is one character of the seal."""
    outlines = [
        seal(fonts, text, 0.0, 0.0).operators.count(b"\nB\n")
        for text in ("葛城市長之印", "葛\U000e0100城市長之印")
    ]
    assert [6, 6] == outlines


def test_a_seal_that_cannot_be_cut_names_itself(fonts: FontList) -> None:
    """The operator reads that the seal's text is to be corrected."""
    with pytest.raises(CertificateRefused) as caught:
        seal(fonts, "\ue000市長之印", 0.0, 0.0)
    assert ("missing-glyph", "公印") == (caught.value.reason, caught.value.item)


@pytest.mark.parametrize("kind", list(Kind))
def test_nothing_hides_the_ground(fonts: FontList, kind: Kind) -> None:
    """Shades of labels lie below the ground: its waves and 見本 run through under every label."""
    making = MAKINGS[kind]
    forms = making.forms(fonts, ISSUER)
    shaded = {
        name
        for name, marks in forms.items()
        if name != "Ground" and any(isinstance(mark, Shade) for mark in marks)
    }
    assert shaded
    for sample in (sample for sample in SAMPLES if sample.kind is kind):
        for page in making.set(fonts, making.say(sample.order())):
            names = [placed.form for placed in page.forms]
            ground = names.index("Ground")
            assert shaded & set(names[:ground])
            assert not shaded & set(names[ground:])
            assert not any(isinstance(mark, Shade) for mark in page.marks)


_FURNITURE = (
    *(furniture.TITLE.box, furniture.NUMBER.box, furniture.SENTENCE.box, furniture.ISSUED_ON.box),
    *(furniture.AUTHORITY.box, furniture.SEAL_BOX, furniture.CODE_BOX),
)


def table_boxes(table: MemberTable, form: EntryForm) -> list[Box]:
    """Return the cells of four members and of the head rows."""
    boxes = [field.box for field in table.head_values.values()]
    for place in range(ENTRIES_PER_SHEET):
        down = -place * table.entry_step_pt
        boxes += [field.moved(down).box for field in (table.position, *form.fields)]
        boxes += [box.moved(down) for _, box in form.labels]
    return boxes


@pytest.mark.parametrize(
    "boxes",
    [
        table_boxes(juminhyo.TABLE, juminhyo.JAPANESE),
        table_boxes(juminhyo.TABLE, juminhyo.FOREIGN),
        table_boxes(kisaijiko.TABLE, kisaijiko.JAPANESE),
        table_boxes(kisaijiko.TABLE, kisaijiko.FOREIGN),
        [
            *(field.box for field in (*inkan.VALUES.values(), inkan.REMARKS)),
            inkan.IMPRESSION_BOX,
        ],
        [*(field.box for field in kazei._FIELDS), *(box for _, box in kazei._INCOME_LABELS)],
        [koseki._DOMICILE.box, koseki._NAME.box, koseki._FLOW_BOX],
        [
            *(field.box for field in fuhyo._REGISTER_VALUES.values()),
            fuhyo._FLOW.cell(0, 0, fuhyo.COLUMNS, fuhyo.ROWS_PER_SHEET),
        ],
    ],
    ids=["juminhyo", "foreign", "kisaijiko", "foreign2", "inkan", "kazei", "koseki", "fuhyo"],
)
def test_fields_lie_beside_one_another(boxes: list[Box]) -> None:
    """No two cells of a form, nor of what all share, overlap or come near the paper's edge."""
    together = [*boxes, *_FURNITURE]
    for place, one in enumerate(together):
        assert 10 * MM_PT < one.x < one.x + one.width < SHEET_WIDTH_PT - 10 * MM_PT
        assert 7.9 * MM_PT < one.y < one.y + one.height < SHEET_HEIGHT_PT - 5 * MM_PT
        for other in together[place + 1 :]:
            assert not overlap(one, other)


def test_the_room_for_the_code() -> None:
    """A version 13 code of 0.42-mm modules fits with its quiet zone, 12 and 8 mm from the edges."""
    box = furniture.CODE_BOX
    assert box.width == box.height
    assert (69 + 2 * 4) * 0.42 <= box.width / MM_PT < 33
    assert 12 == pytest.approx((SHEET_WIDTH_PT - box.x - box.width) / MM_PT)
    assert 8 == pytest.approx(box.y / MM_PT)


def test_the_impression_has_room() -> None:
    """The largest seal that can be registered fits its box."""
    assert SEAL_SIDE_MM_MAX * MM_PT < min(inkan.IMPRESSION_BOX.width, inkan.IMPRESSION_BOX.height)


def overlap(one: Box, other: Box) -> bool:
    """Tell whether two boxes share more than an edge."""
    hair = 0.01
    return (
        one.x + hair < other.x + other.width
        and other.x + hair < one.x + one.width
        and one.y + hair < other.y + other.height
        and other.y + hair < one.y + one.height
    )

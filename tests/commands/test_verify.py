"""``issuance-server verify``: certificates as issued, altered, void, invented, and other files."""

import asyncio
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pikepdf
import pypdfium2
import pytest

from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.certificates.code.placing import SheetCodes
from issuance_server.certificates.render import CertificateRenderer
from issuance_server.core import records as r
from issuance_server.sample.city import ISSUER
from keys.__main__ import main as issuance_keys
from keys.city_keys import create_city_keys, load_code_key
from tests.certificates.one_sheet import order_of_one_sheet
from tests.commands.desk import Commands
from tests.commands.test_issuances import RECORDS, applied

RESERVED, RELEASED = b"reserved--------", b"released--------"
GENUINE = "20261130 豊中市 7E-0001 001 000001"
VOID = "20261130 豊中市 7E-0001 001 000002"
NEVER_RELEASED = "20261130 豊中市 7E-0001 001 000003"
UNCONFIRMED = "20261130 豊中市 7E-0001 001 000004"
UNKNOWN = "20261130 豊中市 7E-0001 001 000099"


@pytest.fixture
def issued(commands: Commands) -> Commands:
    """A city with a number in every state."""
    released = msgspec.structs.replace(
        next(one for one in RECORDS if isinstance(one, r.IssuanceReleased)), issuance_id=RELEASED
    )

    async def write() -> None:
        store = await SqliteStore.open(commands.database)
        async with store.transaction() as transaction:
            for record in (*RECORDS, applied(RESERVED, 3), applied(RELEASED, 4), released):
                transaction.write(record)
        await store.close()

    asyncio.run(write())
    return commands


def certificate(keys: Path, number: str, *, specimen: bool = False) -> bytes:
    """Make a certificate of one sheet with the city's own key for codes."""
    order = order_of_one_sheet(number, msgspec.structs.replace(ISSUER, specimen=specimen))
    coding = SheetCodes("272035", load_code_key(keys).signer)
    return CertificateRenderer(code=coding).render(order).pdf


def written(folder: Path, name: str, content: bytes) -> str:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("number", "verdict", "status", "why"),
    [
        (GENUINE, "genuine", 0, ""),
        (UNCONFIRMED, "issued, print not yet confirmed", 0, ""),
        (VOID, "not valid", 1, "void"),
        (NEVER_RELEASED, "not valid", 1, "never released"),
        (UNKNOWN, "not valid", 1, "no such number"),
    ],
)
def test_the_citys_record_decides(
    issued: Commands, tmp_path: Path, number: str, verdict: str, status: int, why: str
) -> None:
    """A good signature alone is not enough: the number must have been released, and not void."""
    pdf = written(tmp_path, "sheet.pdf", certificate(issued.folder / "keys", number))
    ran = issued.run("verify", pdf)

    assert (status, verdict) == (ran.status, ran.out.splitlines()[-1])
    assert number in ran.out
    assert why in ran.err


def test_a_running_city_answers_too(issued: Commands, tmp_path: Path) -> None:
    """Through the control socket of a server that holds the database."""
    pdf = written(tmp_path, "sheet.pdf", certificate(issued.folder / "keys", GENUINE))
    with issued.served():
        ran = issued.run("verify", pdf, "--json")

    told = json.loads(ran.out)
    assert (0, "genuine") == (ran.status, told["verdict"])
    assert ("printed", 1, 1, True) == tuple(
        told["sheets"][0][key] for key in ("status", "sheet", "sheets", "text_compared")
    )


def test_an_altered_line_is_shown(issued: Commands, tmp_path: Path) -> None:
    """The line as it stands now is named on standard error."""
    pdf = certificate(issued.folder / "keys", GENUINE)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        page = document.pages[0]
        before, place, behind = page.Contents.read_bytes().partition(b"> Tj ET\nBT")
        page.Contents = document.make_stream(before[:-4] + before[-8:-4] + place + behind)
        altered = io.BytesIO()
        document.save(altered)
    ran = issued.run("verify", written(tmp_path, "altered.pdf", altered.getvalue()))

    assert (1, "altered") == (ran.status, ran.out.splitlines()[-1])
    assert "this line was not issued so: 大阪府豊中市" in ran.err


def test_a_picture_of_the_face_says_that_the_text_was_not_compared(
    issued: Commands, tmp_path: Path
) -> None:
    """A scan gives signature, number and status, and claims no more."""
    with pypdfium2.PdfDocument(certificate(issued.folder / "keys", GENUINE)) as document:
        picture = tmp_path / "scan.png"
        document[0].render(scale=200 / 72).to_pil().save(picture)
    ran = issued.run("verify", str(picture))

    assert (0, "genuine") == (ran.status, ran.out.splitlines()[-1])
    assert "not compared" in ran.out


def test_offline_only_the_signature_is_vouched_for(
    issued: Commands, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the exported public keys, without any record; a sample sheet is a test."""
    keys = issued.folder / "keys"
    out = tmp_path / "public"
    assert 0 == issuance_keys(["export", str(keys), "--out", str(out)])
    capsys.readouterr()
    real = written(tmp_path, "real.pdf", certificate(keys, VOID))
    sample = written(tmp_path, "sample.pdf", certificate(keys, VOID, specimen=True))

    ran = issued.plain("verify", real, "--trust", str(out))
    assert (0, "signature good, status not checked") == (ran.status, ran.out.splitlines()[-1])
    assert "test" == issued.plain("verify", sample, "--trust", str(out)).out.splitlines()[-1]


def test_another_citys_sheet_is_not_ours(issued: Commands, tmp_path: Path) -> None:
    """A code that another key signed is called altered, and the key is named."""
    create_city_keys(tmp_path / "other", "272035", datetime.now(UTC))
    pdf = written(tmp_path, "forged.pdf", certificate(tmp_path / "other", GENUINE))
    ran = issued.run("verify", pdf)

    assert (1, "altered") == (ran.status, ran.out.splitlines()[-1])
    assert "none of the city's" in ran.err


def test_other_files_end_in_a_sentence(issued: Commands, tmp_path: Path) -> None:
    """Neither a missing file nor one of another kind shows a traceback."""
    text = written(tmp_path, "letter.txt", b"a letter")
    damaged = written(tmp_path, "damaged.pdf", b"%PDF-1.7 and no more")
    for path, words in (
        (text, "no PDF and no PNG, JPEG or TIFF picture"),
        (damaged, "damaged, or no PDF"),
        (str(tmp_path / "none.pdf"), "No such file"),
    ):
        ran = issued.run("verify", path)
        assert (1, "") == (ran.status, ran.out)
        assert words in ran.err
        assert 1 == ran.err.count("\n")

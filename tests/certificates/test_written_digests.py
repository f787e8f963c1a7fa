"""Page digests from what is being written: the same as from the file's bytes."""

import io

import msgspec
import pydyf
import pytest

from issuance_server.certificates.render import CertificateRenderer
from issuance_server.certificates.written_digests import CanonicalForms
from protocol.errors import Misuse
from protocol.page_digest import page_digests
from protocol.secret import Secret
from protocol.sheet_digest import sheet_digests
from tools.gallery.samples import SAMPLES, Sample, gallery_renderer


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_has_the_digests_of_its_file(sample: Sample) -> None:
    """The terminal, which has the bytes alone, comes to the same digests."""
    rendered = gallery_renderer().render(sample.order())
    assert sheet_digests(rendered.pdf, rendered.sheets) == rendered.sheet_digests


def test_sheets_with_backs_have_the_digests_of_their_file() -> None:
    """Both sides count, the scrambled face included."""
    order = SAMPLES[0].order()
    issuer = msgspec.structs.replace(order.issuer, backs=True)
    renderer = CertificateRenderer(back_secret=lambda: Secret(bytes(32)))
    rendered = renderer.render(msgspec.structs.replace(order, issuer=issuer))
    assert 2 * rendered.sheets == len(page_digests(rendered.pdf))
    assert sheet_digests(rendered.pdf, rendered.sheets) == rendered.sheet_digests


def written(entries: dict[str, object]) -> tuple[bytes, bytes]:
    """Return the digest of a page with these entries, and the file that it stands in."""
    document = pydyf.PDF()
    content = pydyf.Stream([b"q Q"], compress=False)
    document.add_object(content)
    usual = {
        "Type": "/Page",
        "Parent": document.pages.reference,
        "MediaBox": b"[0 0 595.20 841.9]",
        "Contents": content.reference,
        "Resources": pydyf.Dictionary(),
    }
    page = pydyf.Dictionary(usual | entries)
    document.add_page(page)
    file = io.BytesIO()
    document.write(file)
    forms = CanonicalForms({})
    forms.add(content)
    return forms.page_digest(page), file.getvalue()


@pytest.mark.parametrize(
    "value",
    [
        0,
        -12,
        "/Name",
        "true",
        "false",
        b"[]",
        b"[1 [20.50 -3]7 ]",
        b"[(a b)<0aFF>(\n)]",
        b"<00ff>",
        b"(words)",
        pydyf.Array([1, 0]),
        pydyf.Dictionary({"B": 1, "a": "/x", "A": pydyf.Dictionary()}),
    ],
    ids=str,
)
def test_a_value_has_the_form_that_it_has_in_the_file(value: object) -> None:
    """Whatever way the writer gives a value in, the digest is that of the file."""
    digest, pdf = written({"Value": value})
    assert page_digests(pdf) == (digest,)


@pytest.mark.parametrize(
    "value",
    [
        b"(\\))",
        b"(a(b))",
        b"[/Name]",
        b"[true]",
        b"null",
        b"<0>",
        b"[-1.5]",
        "/A#20B",
        "null",
        0.5,
        b"1 2",
    ],
    ids=str,
)
def test_what_the_writer_never_writes_is_refused(value: object) -> None:
    """A value that would need more rules ends in an error, never in a digest of something else."""
    with pytest.raises(Misuse):
        written({"Value": value})

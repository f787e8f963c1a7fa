"""Write docs/gallery/ anew: ``make gallery``, or ``python -m tools.gallery`` from the checkout."""

from pathlib import Path

from tools.gallery.pictures import back_picture, pictures, png
from tools.gallery.samples import SAMPLES, Sample

FOLDER = Path("docs/gallery")
BYTES_MAX = 6 * 1024 * 1024
"""All pictures together: they are kept with the sources."""

_HEAD = """\
# 証明書の見本

Certificates of the sample city, sheet by sheet, as `make gallery` draws them from
`tools/gallery/samples.py`; change the samples, never the pictures. Every person is fictitious, and
every sheet says 見本. The pale 「複写」 of the ground can be made out here because a screen has
fewer dots than a printer; [certificates.md](../certificates.md) says how it works on paper.
"""


def main() -> None:
    """Write the pictures and their page, and remove pictures that are no longer among them."""
    FOLDER.mkdir(exist_ok=True)
    written: dict[str, bytes] = {}
    page = [_HEAD]
    for sample in SAMPLES:
        names = []
        for sheet, image in pictures(sample):
            names.append(f"{sample.name}-{sheet}.png")
            written[names[-1]] = png(image)
        if sample.with_back:
            names.append(f"{sample.name}-1-back.png")
            written[names[-1]] = png(back_picture(sample))
        page.append(_section(sample, names))
    total = sum(map(len, written.values()))
    if total > BYTES_MAX:
        raise SystemExit(f"the pictures take {total} bytes: at most {BYTES_MAX}; show fewer sheets")
    for stale in {path.name for path in FOLDER.glob("*.png")} - set(written):
        (FOLDER / stale).unlink()
    for name, content in written.items():
        (FOLDER / name).write_bytes(content)
    (FOLDER / "README.md").write_text("\n".join(page), encoding="utf-8")
    print(f"{len(written)} pictures, {total // 1024} KiB")


def _section(sample: Sample, names: list[str]) -> str:
    shown = "\n".join(f"![{sample.kind.title} {name}]({name})" for name in names)
    return f"## {sample.kind.title}（{sample.name}）\n\n{sample.shows}\n\n{shown}\n"


if __name__ == "__main__":
    main()

"""One issuance as a sequence diagram: as text for Mermaid, and drawn as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from protocol.trace.conversation import Told
from protocol.trace.entries import Way
from protocol.trace.wording import clock, reply_code_name

ROW_PX = 28
TOP_PX = 72
LEFT_PX, RIGHT_PX = 190, 690
WIDTH_PX = 860
STEPS_MAX = 500
"""More would be no picture any more."""

_DETAILS = ("attempt", "kind", "copies", "fee_yen", "sheets", "piece", "amount_yen", "state")
_REPORTED = ("outcome", "sheets_out")
_STYLE = (
    "text{font-family:system-ui,sans-serif;font-size:13px;fill:#1a1a1a}"
    ".head{font-weight:600}.time{fill:#666;font-size:11px}"
    "line{stroke:#444}.life{stroke:#bbb;stroke-dasharray:4 4}.refused{stroke:#b00020}"
)

_TIP = (
    '<defs><marker id="tip" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">'
    '<path d="M0 0 L9 4 L0 8 z" fill="#444"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class Step:
    """One arrow.

    Attributes:
        at_ms: since the trace began.
        way: up or down.
        words: beside the arrow.
        refused: whether it is a refusal.
    """

    at_ms: int
    way: Way
    words: str
    refused: bool


def steps_of(told: Sequence[Told], issuance: bytes) -> list[Step]:
    """Return the arrows of one issuance, in order."""
    return [_step(one) for one in told if one.issuance == issuance][:STEPS_MAX]


def mermaid(steps: Sequence[Step], terminal: str, city: str) -> str:
    """Return the diagram as Mermaid text."""
    lines = ["sequenceDiagram", f"    participant T as {terminal}", f"    participant C as {city}"]
    for step in steps:
        arrow = "T->>C" if step.way is Way.UP else "C-->>T"
        lines.append(f"    {arrow}: {step.words.replace(';', ',').replace('#', '')}")
    return "\n".join(lines) + "\n"


def svg(steps: Sequence[Step], terminal: str, city: str) -> str:
    """Return the diagram as an SVG document that needs nothing else."""
    height_px = TOP_PX + ROW_PX * (len(steps) + 1)
    size = f'width="{WIDTH_PX}" height="{height_px}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(terminal)} and {escape(city)}</title><style>{_STYLE}</style>",
        f'<rect {size} fill="#fff"/>',
        _TIP,
    ]
    for x_px, name in ((LEFT_PX, terminal), (RIGHT_PX, city)):
        parts.append(
            f'<text class="head" x="{x_px}" y="32" text-anchor="middle">{escape(name)}</text>'
            f'<line class="life" x1="{x_px}" y1="44" x2="{x_px}" y2="{height_px - 12}"/>'
        )
    parts += [_arrow(step, TOP_PX + ROW_PX * row) for row, step in enumerate(steps)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _arrow(step: Step, y_px: int) -> str:
    ends = (LEFT_PX, RIGHT_PX) if step.way is Way.UP else (RIGHT_PX, LEFT_PX)
    refused = ' class="refused"' if step.refused else ""
    dashes = "" if step.way is Way.UP else ' stroke-dasharray="6 3"'
    return (
        f'<text class="time" x="8" y="{y_px + 4}">{clock(step.at_ms)}</text>'
        f'<text x="{(LEFT_PX + RIGHT_PX) // 2}" y="{y_px - 5}" text-anchor="middle">'
        f"{escape(step.words)}</text>"
        f'<line{refused} x1="{ends[0]}" y1="{y_px}" x2="{ends[1]}" y2="{y_px}"{dashes}'
        ' marker-end="url(#tip)"/>'
    )


def _step(told: Told) -> Step:
    telegram = told.said.telegram
    kind = str(telegram.get("telegram", "?"))
    details = [f"{name} {telegram[name]}" for name in _DETAILS if name in telegram]
    report = telegram.get("report")
    if isinstance(report, dict):
        details += [
            f"{name} {report[name]}" for name in ("outcome", "sheets_out") if name in report
        ]
    if kind == "refused":
        details.append(reply_code_name(telegram.get("code")))
    if told.repeats:
        details.append(f"copy {told.repeats + 1}")
    words = f"{kind} ({', '.join(details)})" if details else kind
    return Step(at_ms=told.said.at_ms, way=told.said.way, words=words, refused=kind == "refused")

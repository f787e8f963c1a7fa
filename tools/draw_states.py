"""Draw ``docs/states.md`` from the state tables; ``--check`` tells whether it still agrees.

Run from the top of the checkout::

    python -m tools.draw_states            write the page
    python -m tools.draw_states --check    exit 1 when the page differs from the tables
"""

import argparse
import sys
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TypeVar

from protocol.issuance import ISSUANCE_TABLE, IssuanceState
from protocol.state_table import StateTable
from protocol.visit import VISIT_TABLE, VisitState

S = TypeVar("S", bound=Enum)
I = TypeVar("I", bound=Enum)  # noqa: E741  # S and I as in the tables

PAGE = Path("docs/states.md")
_HEAD = """\
# States

This page is drawn from the tables in `protocol/visit.py` and `protocol/issuance.py` by
`python -m tools.draw_states`; change the tables, never the page. A pair of state and input that has
no row and is not listed as ignored is out of order: the request is refused with `OUT_OF_ORDER` and
nothing changes.
"""
_VISIT = """\
## Visit (来訪)

One card in front of one terminal on one line, at most five minutes. The same table serves the
terminal and the server.
"""
_ISSUANCE = """\
## Issuance (発行)

One attempt to turn an application into paper. `releasing` exists on the terminal only: it has noted
durably that it asked for the key, and behaves from then on as if the key might have been given. The
server goes from `sealed` to `released` in one step. From `released` on, no row leads to an end
without a word from the terminal or from two operators.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join(
        [
            _HEAD,
            _VISIT,
            *_section(VISIT_TABLE, VisitState.BEGUN),
            _ISSUANCE,
            *_section(ISSUANCE_TABLE, IssuanceState.APPLIED),
        ]
    )


def _section(table: StateTable[S, I], start: S) -> Iterable[str]:
    """Yield diagram, table and list of one machine, each with an empty line after it."""
    yield "\n".join(["```mermaid", *_diagram(table, start), "```", ""])
    yield "\n".join([*_rows(table), ""])
    yield "Ignored, because it is known to happen and to be harmless:\n"
    yield "\n".join([*_ignored(table), ""])


def _diagram(table: StateTable[S, I], start: S) -> Iterable[str]:
    yield "stateDiagram-v2"
    states = list(type(start))
    for state in states:
        yield f'    state "{state.value}" as {state.name}'
    yield f"    [*] --> {start.name}"
    inputs_of: dict[tuple[str, str], list[str]] = {}
    for row in table.rows:
        inputs_of.setdefault((row.state.name, row.next.name), []).append(row.input.value)
    for (from_name, to_name), inputs in inputs_of.items():
        yield f"    {from_name} --> {to_name}: {', '.join(inputs)}"
    for state in states:
        if state in table.ends:
            yield f"    {state.name} --> [*]"


def _rows(table: StateTable[S, I]) -> Iterable[str]:
    yield "| in state | on input | enter | server does | terminal does |"
    yield "|---|---|---|---|---|"
    for row in table.rows:
        cells = (row.state.value, row.input.value, row.next.value, row.server, row.terminal)
        yield f"| {' | '.join(cells)} |"


def _ignored(table: StateTable[S, I]) -> Iterable[str]:
    inputs_of: dict[str, list[str]] = {}
    for state, input_ in table.ignored:
        inputs_of.setdefault(state.value, []).append(input_.value)
    for state_name in sorted(inputs_of):
        yield f"- in `{state_name}`: {', '.join(sorted(inputs_of[state_name]))}"


def main(arguments: list[str]) -> int:
    """Write the page or check it; return the exit code."""
    parser = argparse.ArgumentParser(description="Draw docs/states.md from the state tables.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if it differs")
    wanted = page()
    if not parser.parse_args(arguments).check:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{PAGE} differs from the tables: run python -m tools.draw_states", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

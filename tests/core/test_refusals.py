"""Words of refusals: each is explained to the operator, and none betrays anybody at a machine."""

import re
from pathlib import Path

from issuance_server.core.bars import Bar
from issuance_server.core.refusals import Refusal, code_of, of_registers, word_of
from issuance_server.core.standing import Standing
from protocol.codes import ReplyCode

PAGE = Path(__file__).parents[2] / "docs" / "operating" / "eligibility.md"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| .+ \| `([A-Z0-9_]+)` \| .+ \|$", re.MULTILINE)


def test_operators_page_has_every_word_with_its_code() -> None:
    """The page is what an operator looks a word of the log up in."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))

    assert {refusal.value: refusal.code.name for refusal in Refusal} == dict(rows)
    assert len(Refusal) == len(rows)


def test_words_of_bars_and_removals_are_those_of_refusals() -> None:
    """Whoever reads the register tables finds the same words in the log."""
    assert {bar.value for bar in Bar} <= {refusal.value for refusal in Refusal}
    removed = {standing.value for standing in Standing if standing.is_removed}
    assert removed <= {refusal.value for refusal in Refusal}


def test_a_reply_code_is_its_own_word() -> None:
    """What needs no other word than its code is logged by the code's name."""
    stale = ReplyCode.REGISTER_STALE

    assert (stale, "REGISTER_STALE", None) == (code_of(stale), word_of(stale), of_registers(stale))
    died = Refusal.DIED
    assert (ReplyCode.NOT_ISSUED_HERE, "died", died) == (
        code_of(died),
        word_of(died),
        of_registers(died),
    )

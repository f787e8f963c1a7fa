"""All seven kinds of certificate with real processes, for one resident who has them all."""

import subprocess

import pytest

from issuance_server.sample.residents import sample_households
from protocol.kinds import Kind
from tests.processes.town import Town

pytestmark = pytest.mark.processes

HEAD = "h000-m1"
OPTIONS = {
    Kind.JUMINHYO: ("scope=household", "items=relationship,domicile"),
    Kind.KISAIJIKO: ("scope=some", "members=1,2"),
    Kind.KOSEKI_ZENBU: ("scope=household",),
    Kind.FUHYO: ("scope=household", "items=domicile"),
}
SAYS = {
    Kind.JUMINHYO: "この写しは、世帯全員の住民票の原本と相違ないことを証明する。",
    Kind.KISAIJIKO: "この証明書の記載事項は、住民票の記載事項と相違ないことを証明する。",
    Kind.INKAN: "この写しは、登録された印影と相違ないことを証明します。",
    Kind.KAZEI: "上記のとおり相違ないことを証明します。",
    Kind.KOSEKI_ZENBU: "これは、戸籍に記録されている事項の全部を証明した書面である。",
    Kind.KOSEKI_KOJIN: (
        "これは、戸籍中の一部の者について記録されている事項の全部を証明した書面である。"
    ),
    Kind.FUHYO: "この写しは、戸籍の附票の原本と相違ないことを証明する。",
}
FEES_YEN = {Kind.KOSEKI_ZENBU: 350, Kind.KOSEKI_KOJIN: 350}


def _text(paper: str) -> str:
    done = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, check=True)
    return "".join(done.stdout.decode().split())


def test_every_kind_comes_out_of_the_machine(town: Town) -> None:
    """Each with its own sentence once, the holder's name, and the fee of its kind."""
    town.start()
    head = sample_households()[0].members[0].name
    given = head.partition("　")[2]
    seen: set[str] = set()

    for kind in Kind:
        settings = [word for one in OPTIONS.get(kind, ()) for word in ("--option", one)]
        terminal = town.issue("LW-0001", HEAD, "--certificate", kind.value, *settings)
        assert terminal.wait() == 0, terminal.said
        (paper,) = {str(path) for path in town.paper.glob("*.pdf")} - seen
        seen.add(paper)
        text = _text(paper)
        assert (1, True) == (text.count(SAYS[kind]), given in text), kind

    rows = {row["kind"]: row for row in town.issuances()}
    assert {kind.value for kind in Kind} == rows.keys()
    for kind in Kind:
        row = rows[kind.value]
        assert ("completed", FEES_YEN.get(kind, 200)) == (row["state"], row["fee_yen"])


def test_choice_that_is_none_is_refused_without_a_fee(town: Town) -> None:
    """A seal's certificate of the whole household does not exist."""
    town.start()

    terminal = town.issue("LW-0001", HEAD, "--certificate", "inkan", "--option", "scope=household")

    assert terminal.wait() == 3, terminal.said
    assert "OPTIONS_INVALID" == terminal.result["refusal"]["name"]
    assert [] == list(town.paper.glob("*.pdf"))

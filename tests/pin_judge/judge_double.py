"""The judge's process with one thing wrong with it, named by ``JUDGE_DOUBLE``.

``dies`` kills itself at its first comparison, ``breaks`` has a bug there whose text holds a PIN,
``repeats`` answers every attempt with its first verdict, ``hangs`` never answers one.
"""

import asyncio
import hmac
import os
import signal
import sys
from pathlib import Path

from issuance_server.adapters.pin_judge import process, wire
from issuance_server.adapters.pin_judge.judge import PinJudge, Surroundings
from tests.pin_judge.judge_bench import RIGHT_PIN

WRONG = os.environ["JUDGE_DOUBLE"]
DIED = Path(os.environ["JUDGE_DIED"])
true_answer = process.answer
verdicts: list[bytes] = []


def compare(shown: bytes, stored: bytes) -> bool:
    if WRONG == "dies" and not DIED.exists():
        DIED.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if WRONG == "breaks":
        raise ValueError(f"{RIGHT_PIN.decode()} is not {stored.hex()}")
    return hmac.compare_digest(shown, stored)


async def answer(judge: PinJudge, content: bytes) -> bytes:
    if not isinstance(wire.decode_request(content), wire.AskVerdict):
        return await true_answer(judge, content)
    if WRONG == "hangs":
        await asyncio.Event().wait()
    verdicts.append(await true_answer(judge, content))
    return verdicts[0 if WRONG == "repeats" else -1]


if __name__ == "__main__":
    process.answer = answer
    sys.exit(process.main(sys.argv[1:], Surroundings(compare=compare)))

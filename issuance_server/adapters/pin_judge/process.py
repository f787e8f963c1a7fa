"""The judge as a process: takes requests from its parent over one socket, and from nobody else.

It writes nothing but one line with a code when it cannot go on: no PIN, no card, no traceback. A
bug or a disk that refuses ends it; its successor burns what was pending.
"""

import argparse
import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

from issuance_server.adapters.child_serve import serve
from issuance_server.adapters.hardening import harden, silence_libraries
from issuance_server.adapters.pin_judge import wire
from issuance_server.adapters.pin_judge.judge import PinJudge, Surroundings
from issuance_server.adapters.pin_judge.registration import open_store
from keys.city_keys import load_judge_keys
from protocol.codes import ReplyCode
from protocol.errors import KeyManagementError, KofuError, MalformedTelegram, SetUpError

EXIT_DONE = 0
EXIT_FAILED = 1


async def answer(judge: PinJudge, content: bytes) -> bytes:
    """Return the judge's answer to one request, both as they go between the processes."""
    try:
        request = wire.decode_request(content)
    except MalformedTelegram:
        return wire.encode(wire.Refused(code=ReplyCode.MALFORMED))
    return wire.encode(await _answered(judge, request))


async def _answered(judge: PinJudge, request: wire.Request) -> wire.Answer:
    match request:
        case wire.AskChallenge():
            given = await judge.challenge(request.terminal, request.visit_id, request.attempt)
            if isinstance(given, ReplyCode):
                return wire.Refused(code=given)
            return wire.ChallengeIs(challenge=given)
        case wire.AskVerdict():
            return wire.VerdictIs(signed=await judge.judge(request.asked))
        case wire.AskTrial() | wire.AskCounter() | wire.AskUnfreeze():
            return await _act(judge, request)
        case wire.AskCardStates():
            states = await judge.card_states(request.card_ref, after=request.after)
            return wire.CardStatesAre(states=tuple(states))
        case wire.AskEvents():
            return wire.EventsAre(events=tuple(await judge.events(request.collected_up_to)))
        case _:
            assert_never(request)


async def _act(
    judge: PinJudge, request: wire.AskTrial | wire.AskCounter | wire.AskUnfreeze
) -> wire.Answer:
    try:
        match request:
            case wire.AskTrial():
                return wire.VerdictIs(signed=await judge.trial(request.signed, request.asked))
            case wire.AskCounter():
                await judge.counter.act(request.signed, request.second, request.card)
            case wire.AskUnfreeze():
                await judge.unfreeze(request.signed)
    except KeyManagementError as error:
        return wire.ActRefused(reason=str(error))
    return wire.ActDone()


async def _run(arguments: argparse.Namespace, surroundings: Surroundings) -> None:
    keys = load_judge_keys(arguments.keys, storage=arguments.storage)
    if keys.city != arguments.city:
        raise SetUpError(f"{arguments.keys} holds the keys of {keys.city}, not {arguments.city}")
    store = await open_store(arguments.store, keys)
    try:
        judge = await PinJudge.start(
            store=store,
            keys=keys,
            operators_folder=arguments.operators,
            surroundings=surroundings,
        )
        await serve(arguments.fd, lambda content: answer(judge, content))
    finally:
        await store.close()


def _why(error: BaseException, store: Path) -> str:
    """Say why the judge stopped: by its store and SQLite's own code, or by a class name alone.

    Args:
        error: what stopped it; of a group of tasks' errors, the first one counts.
        store: the judge's database.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, sqlite3.OperationalError):  # a class of fixed texts; only the code is told
        code = getattr(error, "sqlite_errorname", "no code")
        return (
            f"{store} cannot be read or written ({code}); "
            "see whether its disk is full, read-only or failing"
        )
    return f"stopped by {type(error).__name__}"


def main(argv: Sequence[str], surroundings: Surroundings | None = None) -> int:
    """Run the judge until its parent is gone.

    Args:
        argv: the options, without the program's name.
        surroundings: the real ones if not given.

    Returns:
        0 when the parent has gone, 1 when the judge could not go on.
    """
    parser = argparse.ArgumentParser(
        prog="python -m issuance_server.adapters.pin_judge",
        description="The PIN judge; started by the issuance server, not by hand.",
    )
    parser.add_argument("--fd", type=int, required=True, help="socket to the parent")
    parser.add_argument("--store", type=Path, required=True, help="the judge's own database")
    parser.add_argument("--keys", type=Path, required=True, help="the city's key folder")
    parser.add_argument("--storage", type=Path, help="the folder of the storage keys")
    parser.add_argument("--operators", type=Path, required=True, help="folder of NAME.pub")
    parser.add_argument("--city", required=True, help="municipality code, 6 digits")
    arguments = parser.parse_args(argv)
    harden()
    silence_libraries()
    try:
        asyncio.run(_run(arguments, surroundings or Surroundings()))
    except KofuError as error:  # set-up: names the way out, and nothing secret
        sys.stderr.write(f"pin judge: {error}\n")
        return EXIT_FAILED
    except Exception as error:  # noqa: BLE001  # its text may hold what nobody may read
        sys.stderr.write(f"pin judge: {_why(error, arguments.store)}\n")
        return EXIT_FAILED
    return EXIT_DONE

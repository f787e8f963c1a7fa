"""``issuance-server register import``: the whole extract is checked first, and then taken over."""

import argparse
import asyncio
import os
import secrets
import sys
import threading
from collections import Counter
from pathlib import Path

from issuance_server.adapters.file_lock import take_lock
from issuance_server.adapters.register_file import Extract, ExtractReader
from issuance_server.adapters.sqlite.register_stage import (
    STAGE_NAME_BYTES,
    new_stage,
    remove_stages,
    stage_digest,
    stage_path,
)
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.register_acts import import_subject
from issuance_server.core.suppression import SuppressionOrigin
from issuance_server.desk_commands.acts import Acting
from issuance_server.desk_commands.progress import Progress
from issuance_server.desk_commands.reach import ask
from protocol.errors import SetUpError

TAKING_WAIT_MS_MAX = 10 * 60 * 1_000
"""A running server answers when the copy is swapped; a city of half a million takes minutes."""


async def import_extract(city: City, arguments: argparse.Namespace) -> int:
    """Import a full extract, signed by a named operator with a reason.

    Setting the copy back takes two.
    """
    _check_number(arguments)
    acting = Acting.unlock(city, arguments)
    database = city.paths.database
    in_use = "another extract is being imported; wait until that is done"
    lock = await take_lock(database.with_name(f"{database.name}.extract"), wait_ms=0, in_use=in_use)
    try:
        remove_stages(database)
        name = secrets.token_hex(STAGE_NAME_BYTES)
        staged = stage_path(database, name)
        extract = await _staged(arguments.extract, staged)
        _check(extract, city)
        brought = await asyncio.to_thread(_brought, extract, staged, set_back=arguments.set_back)
        before = await _suppressions(city)
        await acting.do(
            wire.ACT_REGISTER_SET_BACK if arguments.set_back else wire.ACT_REGISTER_IMPORT,
            subject=import_subject(brought),
            brought=brought,
            wait_ms=TAKING_WAIT_MS_MAX,
        )
    finally:
        remove_stages(database)
        os.close(lock)
    counts = brought.counts
    lifted = before - await _suppressions(city)
    sys.stderr.write(
        f"the copy has {counts.households} households with {counts.residents} residents,"
        f" {counts.records} other records and {counts.suppressions} suppressions of the registers"
        f" ({lifted.total()} lifted, which the extract does not have), up to change"
        f" {brought.sequence}\n"
    )
    return 0


def _check_number(arguments: argparse.Namespace) -> None:
    """Refuse too few or too many operators before the extract is read, which takes long.

    Raises:
        SetUpError: there are.
    """
    if arguments.set_back and arguments.second_operator is None:
        raise SetUpError("--set-back takes two operators; name the other one: --second-operator")
    if not arguments.set_back and arguments.second_operator is not None:
        raise SetUpError(
            "an import takes one operator, unless it sets the copy back; leave --second-operator"
            " out, or say --set-back"
        )


async def _suppressions(city: City) -> Counter[tuple[str, str, str]]:
    """Return whom the registers suppress and why; a number may be another one after an import."""
    answer = await ask(city, wire.ListSuppressions())
    if not isinstance(answer, wire.Suppressions):
        raise SetUpError("the server gave another answer than was asked")
    return Counter(
        (row.subject_kind, row.subject_id, row.why)
        for row in answer.rows
        if row.origin == SuppressionOrigin.REGISTER.value
    )


async def _staged(path: Path, staged: Path) -> Extract:
    """Stage in a thread, which Ctrl-C ends as well."""
    stopped = threading.Event()
    try:
        return await asyncio.to_thread(_stage, path, staged, stopped)
    except asyncio.CancelledError:
        stopped.set()
        raise


def _stage(path: Path, staged: Path, stopped: threading.Event) -> Extract:
    """Read the whole extract, and write its sound lines into the stage."""
    size_bytes = path.stat().st_size if path.is_file() else 0
    with new_stage(staged) as stage, Progress("checking", size_bytes) as progress:

        def look(read_bytes: int) -> None:
            if stopped.is_set():
                raise SetUpError("the import was stopped; the copy stays as it was")
            progress(read_bytes)

        return ExtractReader(take=stage.add, progress=look).read(path)


def _check(extract: Extract, city: City) -> None:
    """Refuse an extract with faults, after all of them are listed.

    Raises:
        SetUpError: it has some, or is another city's.
    """
    for one in extract.faults:
        sys.stderr.write(f"line {one.number}: {one.fault}\n")
    unlisted = extract.faults_in_all - len(extract.faults)
    if unlisted:
        sys.stderr.write(f"and {unlisted} more\n")
    if extract.header is None:
        raise SetUpError(
            "the file is no full extract, whose first line is a header; the copy stays as it was."
            " Name the extract, or have it made anew"
        )
    if extract.faults_in_all:
        faults = "1 fault" if extract.faults_in_all == 1 else f"{extract.faults_in_all} faults"
        raise SetUpError(
            f"the extract has {faults}; the copy stays as it was. Have the extract made anew"
        )
    if extract.header.city != city.config.city.code:
        raise SetUpError(
            f"the extract is of city {extract.header.city}, this is {city.config.city.code}"
        )


def _brought(extract: Extract, staged: Path, *, set_back: bool) -> wire.StagedExtract:
    if extract.header is None:
        raise SetUpError("the extract has no header")
    header = extract.header
    return wire.StagedExtract(
        stage=staged.name.rpartition("-")[2],
        stage_digest=stage_digest(staged),
        file_digest=extract.file_digest,
        counts=header.counts,
        sequence=header.sequence,
        as_of_ms=int(header.as_of.timestamp() * 1_000),
        set_back=set_back,
    )

"""A reading process: ``python -m issuance_server.verify_page.worker``, started by the page.

What strangers upload is parsed here and nowhere else, in a process that may write no file and use
no more than its share of memory and time. It takes one upload at a time, and ends after a bug.
"""

import argparse
import io
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

from PIL import Image

from issuance_server.adapters.hardening import harden, silence_libraries
from issuance_server.certificates.back.showing import ADDED_COLOUR, BOX_COLOUR, MISSING_COLOUR
from issuance_server.certificates.code.claim import key_id
from issuance_server.certificates.verify.files import found_in_files
from issuance_server.certificates.verify.scans import ScannedSheet
from issuance_server.verify_page import worker_wire as wire
from keys.city_keys import load_back_secrets
from keys.trust import CityTrust
from protocol.errors import KofuError
from protocol.secret import Secret

ADDRESS_SPACE_BYTES_MAX = 4 * 1024**3
PICTURES_MAX = 8
PICTURE_GREYS = 61

PublicKeys: TypeAlias = Mapping[bytes, bytes]
_Believed: TypeAlias = tuple[PublicKeys, Sequence[Secret]]


def read_upload(files: Sequence[bytes], believed: _Believed) -> wire.Answer:
    """Return what is found in the files of one upload."""
    public_keys, secrets = believed
    try:
        sheets = found_in_files(files, public_keys, secrets)
    except KofuError as error:
        return wire.Unreadable(why=str(error))
    except MemoryError:
        return wire.Unreadable(why="the picture is larger than a scan can be")
    except Exception as error:  # noqa: BLE001  # its text may hold what nobody may read
        return wire.Broken(error=type(error).__name__)
    return wire.Found(sheets=tuple(_with_pictures(sheets)))


def _with_pictures(sheets: Sequence[ScannedSheet]) -> Iterator[wire.Sheet]:
    """Yield the sheets, the first few with the picture that shows people the most."""
    left = PICTURES_MAX
    for sheet in sheets:
        shown = sheet.shown
        if shown is None or left == 0:
            yield wire.Sheet(found=sheet.found)
            continue
        left -= 1
        picture = io.BytesIO()
        both = shown.difference if shown.difference is not None else shown.issued
        paletted = both.quantize(palette=_palette(), dither=Image.Dither.NONE)
        paletted.save(picture, "PNG", optimize=True)
        yield wire.Sheet(
            found=sheet.found,
            picture=picture.getvalue(),
            is_difference=shown.difference is not None,
        )


def _palette() -> Image.Image:
    """Return greys and the colours that mean something, which rare as they are must not be lost."""
    greys = [round(place * 255 / (PICTURE_GREYS - 1)) for place in range(PICTURE_GREYS)]
    colours = [(grey, grey, grey) for grey in greys]
    colours += [MISSING_COLOUR, ADDED_COLOUR, BOX_COLOUR]
    palette = Image.new("P", (1, 1))
    palette.putpalette([level for colour in colours for level in colour])
    return palette


def _believing(arguments: argparse.Namespace) -> Callable[[], _Believed]:
    """Return what reads the keys anew for each upload: one that was revoked counts no more."""
    backs = load_back_secrets(arguments.keys, storage=arguments.storage) if arguments.keys else None

    def read() -> _Believed:
        trust = CityTrust.load(arguments.trust)
        public_keys = {key_id(key): key for key in trust.code_keys()}
        return public_keys, backs.accepted() if backs is not None else ()

    return read


def _serve(requests: BinaryIO, answers: BinaryIO, believed: Callable[[], _Believed]) -> None:
    while (request := wire.read(requests)) is not None:
        _limit(resource.RLIMIT_CPU, _cpu_seconds() + wire.CPU_SECONDS_MAX)
        answer = read_upload(wire.decode_request(request).files, believed())
        _say(answers, wire.encode(answer))
        if isinstance(answer, wire.Broken):
            return


def _say(answers: BinaryIO, content: bytes) -> None:
    answers.write(wire.framed(content))
    answers.flush()


def _cpu_seconds() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int(usage.ru_utime + usage.ru_stime) + 1


def _limit(what: int, soft: int) -> None:
    """Lower a limit of the system for this process."""
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def main() -> int:
    """Serve until the parent is gone; 0 then, 1 when the keys cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m issuance_server.verify_page.worker")
    parser.add_argument("--trust", type=Path, required=True, help="the folder of public keys")
    parser.add_argument("--keys", type=Path, help="the city's key folder, to read backs with")
    parser.add_argument("--storage", type=Path, help="where the storage keys lie")
    arguments = parser.parse_args()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # a library's chatter is no answer
    try:
        believed = _believing(arguments)
        believed()
        harden()
        silence_libraries()
        _limit(resource.RLIMIT_AS, ADDRESS_SPACE_BYTES_MAX)
        _limit(resource.RLIMIT_FSIZE, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
        _say(answers, b"")
        _serve(sys.stdin.buffer, answers, believed)
    except BrokenPipeError:
        return 0
    except KofuError as error:
        sys.stderr.write(f"verify-page: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

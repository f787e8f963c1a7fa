"""``terminal-sim``: one visit at a simulated multicopy machine, from card to paper."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from keys.cards import CardFile
from keys.distribution import take_trust
from protocol.errors import KofuError, Misuse, SetUpError
from protocol.kinds import Kind, Options
from protocol.telegrams import Refused
from terminal_sim.arguments import options_of, parser, terminal_folders
from terminal_sim.config import TerminalConfig, find_terminal
from terminal_sim.crash_points import dying_at
from terminal_sim.customer import Choice
from terminal_sim.devices import Printer
from terminal_sim.keyboard import pin_of, prompt_for_pin
from terminal_sim.opening import Clock, Ended, Settings, Visitor, run_opening
from terminal_sim.person import Keypad, Person
from terminal_sim.result import Exit, exit_of, result_object

_MS_PER_S = 1_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code. The user never sees a traceback."""
    arguments = parser().parse_args(argv)
    try:
        return _COMMANDS[arguments.command](arguments)
    except KofuError as error:
        _say(f"terminal-sim: {error}")
    except OSError as error:
        _say(f"terminal-sim: the disk refuses: {error.strerror or type(error).__name__}")
    except KeyboardInterrupt:
        return Exit.FAILED
    except Misuse as error:
        _say(f"terminal-sim: a fault of the program itself, please report it: {error}")
    return Exit.SET_UP


def _issue(arguments: argparse.Namespace) -> int:
    options = _options(arguments)
    keypad = _keypad(arguments)
    config = _config(arguments)
    card = CardFile.load(arguments.card)
    _check_tray(arguments.out)
    clock = Clock()
    person = Person(
        keypad=keypad,
        choice=Choice(kind=Kind(arguments.certificate), options=options, copies=arguments.copies),
        insert_yen=arguments.insert,
        say=_say,
        clock=clock,
    )
    visitor = Visitor(customer=person, card=card, tray=arguments.out)
    _say(_CONNECTING)
    ended = asyncio.run(run_opening(config, visitor, _settings(arguments, clock)))
    return _tell_issue(arguments, ended, person)


def _settle(arguments: argparse.Namespace) -> int:
    config = _config(arguments)
    _say(_CONNECTING)
    ended = asyncio.run(run_opening(config, None, _settings(arguments, Clock())))
    left = [issuance.issuance_id.hex() for issuance in ended.state.unfinished()]
    _tell_line(arguments, ended)
    if arguments.json:
        _print({"terminal": config.terminal, "unfinished": left})
    else:
        for issuance in left:
            sys.stdout.write(f"{issuance}\n")
    _say(f"未了 {len(left)}件 (left to settle)")
    if ended.machine.refused is not None:
        return Exit.REFUSED
    return Exit.UNKNOWN if left else Exit.DONE


def _take_trust(arguments: argparse.Namespace) -> int:
    config = _config(arguments)
    config.load_keys()
    told, new = take_trust(config.keys, arguments.source)
    _say(
        f"鍵情報 {told.serial}号 ({'taken' if new else 'known already'}: number {told.serial} of "
        f"the keys of city {told.city})"
    )
    if arguments.json:
        _print({"terminal": config.terminal, "serial": told.serial, "new": new})
    return Exit.DONE


def _tell_issue(arguments: argparse.Namespace, ended: Ended, person: Person) -> int:
    state, code = ended.state, ended.machine.refused
    refusal = person.refusal if code is None else Refused(code=code)
    issuance = state.issuances.get(person.issuance_id or b"")
    paper = None if issuance is None else Printer(arguments.out).paper(issuance.issuance_id)
    _tell_line(arguments, ended)
    if arguments.json:
        agree = ended.counters_agree
        _print(result_object(state, person, refusal=refusal, paper=paper, counters_agree=agree))
    elif paper is not None and paper.exists():
        sys.stdout.write(f"{paper}\n")
    if refusal is not None:
        _say(f"{refusal.code.sentence()} ({refusal.code.sentence('en')})")
    result = exit_of(issuance, refusal)
    _say(_CLOSING_WORDS[result])
    return result


def _tell_line(arguments: argparse.Namespace, ended: Ended) -> None:
    if ended.counters_agree is False:
        _say("精査: 端末と市の計数が一致しません (counters of terminal and city differ)")
    if arguments.verbose:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(ended.counts.items()))
        _say(f"line: {counts or 'nothing late, nothing dropped'}")


_COMMANDS = {"issue": _issue, "settle": _settle, "trust": _take_trust}
_CONNECTING = "接続しています… (connecting to the city)"
_CLOSING_WORDS = {
    Exit.DONE: "完了しました (done: paper out, deletion confirmed)",
    Exit.REFUSED: "交付できませんでした (refused)",
    Exit.UNKNOWN: "結果は次の開局で確定します (outcome unknown until the next opening)",
    Exit.FAILED: "中止しました。お預かりした手数料はお返ししました (not issued, money returned)",
}


def _check_tray(tray: Path) -> None:
    """See that paper can be laid before anybody pays for it."""
    try:
        Printer(tray).make_ready()
    except OSError as error:
        raise SetUpError(
            f"no paper can be laid into {tray}: {error.strerror or error}; give another --out"
        ) from None


def _options(arguments: argparse.Namespace) -> Options:
    try:
        return options_of(arguments.option)
    except ValueError as error:
        arguments.usage_error(f"--option: {error}")
        raise  # never reached: a wrong usage ends the program


def _keypad(arguments: argparse.Namespace) -> Keypad:
    if arguments.pin:
        return Keypad(pins=arguments.pin)
    if arguments.pin_stdin:
        pins = [pin_of(line) for line in sys.stdin if line.strip()]
        if not pins or None in pins:
            arguments.usage_error("--pin-stdin: a PIN has 4 to 12 digits, one a line")
        return Keypad(pins=[pin for pin in pins if pin is not None])
    if not sys.stdin.isatty():
        arguments.usage_error("no PIN: use --pin, --pin-stdin, or a keyboard")
    return Keypad(pins=[], prompt=prompt_for_pin)


def _config(arguments: argparse.Namespace) -> TerminalConfig:
    path = find_terminal(arguments.terminal, terminal_folders(arguments))
    return TerminalConfig.load(path)


def _settings(arguments: argparse.Namespace, clock: Clock) -> Settings:
    return Settings(
        timeout_ms=arguments.timeout * _MS_PER_S,
        clock=clock,
        on_record=dying_at(arguments.die_at),
        say=_say if arguments.verbose else lambda _: None,
    )


def _print(result: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())

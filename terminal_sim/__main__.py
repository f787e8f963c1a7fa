"""``terminal-sim``: one visit at a simulated multicopy machine, from card to paper."""

import argparse
import asyncio
import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from keys.cards import load_card
from keys.distribution import take_trust
from protocol.errors import KofuError, Misuse, SetUpError
from protocol.limits import ISSUANCES_PER_VISIT_MAX
from protocol.telegrams import Refused
from terminal_sim import witnessing
from terminal_sim.applicant import Applicant, typed_of
from terminal_sim.arguments import parser, terminal_folders
from terminal_sim.config import TerminalConfig, find_terminal
from terminal_sim.crash_points import dying_at
from terminal_sim.customer import CancelPoint, Choice
from terminal_sim.devices import Printer
from terminal_sim.keyboard import pin_of, prompt_for_pin
from terminal_sim.opening import Clock, Ended, Settings, Visitor, run_opening
from terminal_sim.person import Keypad, Person
from terminal_sim.replay.command import run_replay
from terminal_sim.result import (
    Exit,
    closing_words,
    exit_of_visit,
    outcome_words,
    result_object,
)
from terminal_sim.trace_replay import run_trace_replay
from terminal_sim.wishes import options_of

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
    choices = _choices(arguments)
    keypad = _keypad(arguments)
    config = _config(arguments)
    card = load_card(arguments.card)
    _check_tray(arguments.out)
    clock = Clock()
    person = Person(
        keypad=keypad,
        choices=choices,
        insert_yen=arguments.insert,
        say=_say,
        clock=clock,
    )
    visitor = Visitor(customer=person, card=card, tray=arguments.out)
    _say(_CONNECTING)
    ended = asyncio.run(run_opening(config, visitor, _settings(arguments, clock)))
    return _tell_issue(arguments, ended, person)


def _domicile(arguments: argparse.Namespace) -> int:
    keypad = _keypad(arguments)
    config = _config(arguments)
    card = load_card(arguments.card)
    asks = arguments.command == "register-domicile"
    person = Applicant(keypad=keypad, typed=typed_of(arguments) if asks else None, say=_say)
    visitor = Visitor(customer=person, card=card, tray=config.storage)
    _say(_CONNECTING)
    ended = asyncio.run(run_opening(config, visitor, _settings(arguments, Clock())))
    result, told = person.result(ended)
    _tell_line(arguments, ended)
    if arguments.json:
        _print(told)
    elif told["state"] is not None:
        sys.stdout.write(f"{told['state']}\n")
    if told["refusal"] is not None:
        _say(told["refusal"]["sentence"])
    return Exit.SET_UP if _doubted_before(ended) else result


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
    if _doubted_before(ended):
        return Exit.SET_UP
    if ended.machine.refused is not None:
        return Exit.REFUSED
    return Exit.UNKNOWN if left else Exit.DONE


def _kiosk(arguments: argparse.Namespace) -> int:
    command = importlib.import_module("terminal_sim.kiosk.command")  # the others need no web server
    status: int = command.serve_kiosk(_config(arguments), arguments)
    return status


def _replay(arguments: argparse.Namespace) -> int:
    return run_replay(arguments, terminal_folders(arguments))


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


def _witness(arguments: argparse.Namespace) -> int:
    config = _config(arguments)
    state = witnessing.read(config, arguments.dismiss)
    if arguments.out is not None:
        witnessing.write(arguments.out, config.city, state.witnessed)
    if arguments.shown_out is not None:
        shown = None if state.doubt is None else state.doubt.shown
        witnessing.write(arguments.shown_out, config.city, shown)
    if arguments.json:
        _print(witnessing.witness_object(state))
    else:
        sys.stdout.write(witnessing.witness_words(state))
    return Exit.DONE if state.doubt is None else Exit.SET_UP


def _tell_issue(arguments: argparse.Namespace, ended: Ended, person: Person) -> int:
    state, code = ended.state, ended.machine.refused
    refused = None if code is None else Refused(code=code)
    printer = Printer(arguments.out)
    _tell_line(arguments, ended)
    told = result_object(
        state,
        person,
        refused=refused,
        paper_of=printer.paper,
        counters_agree=ended.counters_agree,
    )
    if arguments.json:
        _print(told)
    else:
        for one in told["issuances"]:
            sys.stdout.write(f"{one['paper']}\n" if one["paper"] else "")
    for number, wanted in enumerate(person.applications, start=1):
        refusal = refused or wanted.refusal
        refusal = refusal or (person.visit_refusal if wanted.issuance_id is None else None)
        before = f"{number} {wanted.choice.kind.title}: " if len(person.applications) > 1 else ""
        if before:
            _say(before + outcome_words(told["issuances"][number - 1]))
        if refusal is not None:
            _say(f"{before}{refusal.code.sentence()} ({refusal.code.sentence('en')})")
    result = exit_of_visit(state, person, refused)
    if _doubted_before(ended) and result is Exit.FAILED:
        return Exit.SET_UP  # what was said above is the reason
    _say(closing_words(result, state, person))
    return result


def _doubted_before(ended: Ended) -> bool:
    """Tell whether the line never came to its end because the city's record is doubted."""
    return ended.state.doubt is not None and ended.machine.closed is None


def _tell_line(arguments: argparse.Namespace, ended: Ended) -> None:
    if ended.state.doubt is not None:
        _say(witnessing.alarm_words(ended.state.doubt, arguments.terminal))
    if ended.counters_agree is False:
        _say("精査: 端末と市の計数が一致しません (counters of terminal and city differ)")
    for remark in ended.remarks:
        _say(remark)
    if arguments.verbose:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(ended.counts.items()))
        _say(f"line: {counts or 'nothing late, nothing dropped'}")


_COMMANDS = {
    "issue": _issue,
    "register-domicile": _domicile,
    "domicile-status": _domicile,
    "settle": _settle,
    "replay": _replay,
    "trace": run_trace_replay,
    "kiosk": _kiosk,
    "trust": _take_trust,
    "witness": _witness,
}
_CONNECTING = "接続しています… (connecting to the city)"


def _check_tray(tray: Path) -> None:
    """See that paper can be laid before anybody pays for it."""
    try:
        Printer(tray).make_ready()
    except OSError as error:
        raise SetUpError(
            f"no paper can be laid into {tray}: {error.strerror or error}; give another --out"
        ) from None


def _choices(arguments: argparse.Namespace) -> list[Choice]:
    """Return what is wanted; what is said beside a certificate is meant for the only one."""
    choices: list[Choice] = arguments.certificate
    beside = bool(arguments.option) or (arguments.copies, arguments.cancel_at) != (None, None)
    if len(choices) > ISSUANCES_PER_VISIT_MAX:
        arguments.usage_error(
            f"--certificate: a visit has at most {ISSUANCES_PER_VISIT_MAX} issuances"
        )
    if not beside:
        return choices
    if len(choices) > 1:
        arguments.usage_error(
            "--option, --copies and --cancel-at belong to one certificate; of several, give each "
            "its own: --certificate juminhyo:copies=2,scope=household --certificate inkan"
        )
    (only,) = choices
    try:
        options = options_of(arguments.option) if arguments.option else only.options
    except ValueError as error:
        arguments.usage_error(f"--option: {error}")
        raise  # never reached: a wrong usage ends the program
    copies = only.copies if arguments.copies is None else arguments.copies
    cancel_at = CancelPoint(arguments.cancel_at) if arguments.cancel_at else only.cancel_at
    return [replace(only, options=options, copies=copies, cancel_at=cancel_at)]


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
        traces=(arguments.trace, arguments.core_trace),
    )


def _print(result: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())

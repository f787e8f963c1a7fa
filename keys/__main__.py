"""``issuance-keys``: the keys of a city, made, distributed, rotated, revoked, destroyed.

It prints no secret. Exit status: 0 done, 1 refused, 2 wrong usage.
"""

import argparse
import getpass
import json
import secrets
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from keys import file_store, life_cycle
from keys.arguments import Command, parser
from keys.authority import Authority
from keys.city_folder import CityFolder
from keys.city_keys import create_city_keys
from keys.distribution import distribute
from keys.former_operators import revoke_operator
from keys.inventory import (
    KeyRow,
    key_rows,
    operator_rows,
    public_lines,
    record_row,
    terminal_row,
)
from keys.key_record import KeyRecord, Purpose, key_id_of
from keys.key_states import KeyState
from keys.operator_files import sign_operator
from keys.operators import Operator
from keys.terminal_keys import create_terminal_keys, renew_terminal_keys
from keys.trust import CityTrust
from protocol.errors import KeyManagementError, KofuError
from protocol.limits import LINE_ID_BYTES
from protocol.secret import Secret

EXIT_DONE = 0
EXIT_REFUSED = 1

_COLUMNS = ("kind", "name", "key id", "state", "until", "line", "identity")
_IDENTITY_CHARACTERS = 16
"""Of a SHA-256 in a table for people; ``--json`` has all of it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    chosen = parser(_COMMANDS).parse_args(arguments)
    try:
        chosen.command(chosen)
    except KofuError as error:
        print(f"issuance-keys: {error}", file=sys.stderr)
        return EXIT_REFUSED
    except (KeyboardInterrupt, EOFError):
        print("issuance-keys: given up; the same command finishes what was begun", file=sys.stderr)
        return EXIT_REFUSED
    return EXIT_DONE


def _create(chosen: argparse.Namespace) -> None:
    create_city_keys(chosen.folder, chosen.city, _now(), storage=chosen.storage)
    city = _city(chosen)
    _say(
        f"The keys of city {chosen.city} are in {city.root}, the storage keys in {city.storage}. "
        f"Keep {city.root / 'authority'} apart from the server, and the storage keys out of every "
        "backup of the other folders."
    )
    _print_rows(key_rows(chosen.folder, _now()), as_json=chosen.json)


def _list(chosen: argparse.Namespace) -> None:
    _print_rows(key_rows(chosen.folder, _now()), as_json=chosen.json)


def _export(chosen: argparse.Namespace) -> None:
    trust = CityTrust.load(CityFolder.at(chosen.folder).trust)
    lines = public_lines(chosen.folder, _now())
    text = "".join(f"{line}\n" for line in lines)
    if chosen.out is not None:
        out = file_store.private_folder(chosen.out)
        file_store.write_public(out / "authority.crt", trust.authority_certificate)
        file_store.write_public(out / "public-keys.txt", text.encode("utf-8"))
        trust.save(out)
        _say(f"The public keys of city {trust.city} are in {out}.")
    elif chosen.json:
        certificate = trust.authority_certificate.decode("ascii")
        print(json.dumps({"city": trust.city, "authority": certificate, "public_keys": lines}))
    else:
        print(trust.authority_certificate.decode("ascii") + text, end="")


def _distribute(chosen: argparse.Namespace) -> None:
    told = distribute(_city(chosen), chosen.out, _now())
    _say(
        f"{chosen.out} holds number {told.serial} of what terminals of city {told.city} are told; "
        f"each takes it with: terminal-sim trust --terminal ID --from {chosen.out}"
    )
    if chosen.json:
        print(json.dumps({"city": told.city, "serial": told.serial}))


def _rotate(chosen: argparse.Namespace) -> None:
    purpose = Purpose(chosen.purpose)
    done = life_cycle.rotate(_city(chosen), purpose, now=_now(), overlap=chosen.overlap)
    _tell_finished(done)
    if done.record.state is KeyState.NEXT:
        _say(
            f"Key {done.record.key_id} waits. Give it to the terminals: issuance-keys distribute "
            f"{chosen.folder} --out FOLDER; then: issuance-keys activate {purpose.value} "
            f"{chosen.folder}"
        )
    elif purpose is Purpose.PIN_OPENING:
        _say(
            "Until the old key's time is over, give the terminals the new one: "
            f"issuance-keys distribute {chosen.folder} --out FOLDER"
        )
    elif purpose is Purpose.SERVER:
        _say("The server shows its new certificate once it is started again.")
    _print_purpose(chosen, purpose)


def _activate(chosen: argparse.Namespace) -> None:
    purpose = Purpose(chosen.purpose)
    done = life_cycle.activate(_city(chosen), purpose, now=_now(), overlap=chosen.overlap)
    _tell_finished(done)
    _print_purpose(chosen, purpose)


def _revoke(chosen: argparse.Namespace) -> None:
    rotated = {purpose.value: purpose for purpose in life_cycle.ROTATED}
    revoked = life_cycle.revoke(_city(chosen), rotated.get(chosen.key, chosen.key), now=_now())
    for record in revoked:
        _say(f"Key {record.key_id} ({record.purpose.value}) is accepted no more.")
        if record.purpose in life_cycle.TOLD_TO_TERMINALS:
            _say(
                "Terminals accept it until they are told: "
                f"issuance-keys distribute {chosen.folder} --out FOLDER"
            )
    _print_records(chosen, revoked)


def _destroy(chosen: argparse.Namespace) -> None:
    record = life_cycle.destroy(_city(chosen), chosen.key, now=_now(), pin_store=chosen.pin_store)
    _say(f"The secret of key {record.key_id} ({record.purpose.value}) is destroyed.")
    _print_records(chosen, [record])


def _terminal_create(chosen: argparse.Namespace) -> None:
    line_id = secrets.token_bytes(LINE_ID_BYTES)
    made = create_terminal_keys(
        chosen.folder, chosen.terminal_id, chosen.out, line_id, _now(), storage=chosen.storage
    )
    _say(
        f"{chosen.out} holds what terminal {made.terminal_id} is given. "
        "The server obeys it once it is registered there."
    )
    _print_rows([terminal_row(made.line.certificate_pem)], as_json=chosen.json)


def _terminal_renew(chosen: argparse.Namespace) -> None:
    made = renew_terminal_keys(
        chosen.folder, chosen.terminal_id, chosen.out, _now(), storage=chosen.storage
    )
    _say(
        f"{chosen.out} holds the new keys of terminal {made.terminal_id}. Register them with the "
        "server before the terminal uses them, and take the old ones off its list afterwards."
    )
    _print_rows([terminal_row(made.line.certificate_pem)], as_json=chosen.json)


def _operator_create(chosen: argparse.Namespace) -> None:
    city = _city(chosen)
    with city.changing():
        if (city.operators / f"{chosen.name}.pub").exists():
            raise KeyManagementError(
                f"operator {chosen.name} exists already and is never overwritten; "
                "for a new key: issuance-keys operator renew"
            )
        _make_operator(chosen, city)


def _operator_renew(chosen: argparse.Namespace) -> None:
    city = _city(chosen)
    with city.changing():
        known = {row.name for row in operator_rows(chosen.folder)}
        if chosen.name not in known:
            raise KeyManagementError(
                f"there is no operator {chosen.name}; issuance-keys operator create makes one"
            )
        Authority.of_city(city)  # asked for before the old key is given up
        passphrase = _passphrase(from_stdin=chosen.passphrase_stdin)
        revoke_operator(city.operators, chosen.name, "renewed", _now())
        _make_operator(chosen, city, passphrase)


def _make_operator(
    chosen: argparse.Namespace, city: CityFolder, passphrase: Secret | None = None
) -> None:
    file_store.clear_leftovers(city.operators)
    authority = Authority.of_city(city)
    given = passphrase or _passphrase(from_stdin=chosen.passphrase_stdin)
    operator = Operator.create(city.operators, chosen.name, given, authority)
    _say(f"Operator {operator.name} is in the ring of {chosen.folder}.")
    _print_operator(chosen)


def _operator_sign(chosen: argparse.Namespace) -> None:
    city = _city(chosen)
    with city.changing():
        file_store.clear_leftovers(city.operators)
        signed = sign_operator(city.operators, chosen.name, Authority.of_city(city))
    _say(
        f"The authority says that key {key_id_of(signed.key)} is operator {signed.name}'s; "
        "if it is not: issuance-keys operator revoke"
    )
    _print_operator(chosen)


def _operator_revoke(chosen: argparse.Namespace) -> None:
    city = _city(chosen)
    with city.changing():
        file_store.clear_leftovers(city.operators)
        former = revoke_operator(city.operators, chosen.name, chosen.reason, _now())
    _say(f"Operator {former.operator} is obeyed no more.")
    _print_operator(chosen)


def _operator_list(chosen: argparse.Namespace) -> None:
    _print_rows(operator_rows(chosen.folder), as_json=chosen.json)


def _passphrase(*, from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline().rstrip("\r\n").encode("utf-8"))
    first = Secret(getpass.getpass("Passphrase: ").encode("utf-8"))
    if first != Secret(getpass.getpass("The same again: ").encode("utf-8")):
        raise KeyManagementError("the two passphrases differ; nothing was made")
    return first


def _city(chosen: argparse.Namespace) -> CityFolder:
    return CityFolder.at(chosen.folder, getattr(chosen, "storage", None))


def _now() -> datetime:
    return datetime.now(UTC)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _tell_finished(done: life_cycle.Changed) -> None:
    if done.finished:
        _say("An earlier command was not finished; now it is, and nothing else was made.")


def _print_purpose(chosen: argparse.Namespace, purpose: Purpose) -> None:
    _print_records(chosen, _city(chosen).records(purpose))


def _print_records(chosen: argparse.Namespace, records: Sequence[KeyRecord]) -> None:
    city = CityTrust.load(CityFolder.at(chosen.folder).trust).city
    rows = [record_row(record, city, _now()) for record in records]
    _print_rows(rows, as_json=chosen.json)


def _print_operator(chosen: argparse.Namespace) -> None:
    rows = [row for row in operator_rows(chosen.folder) if row.name == chosen.name]
    _print_rows(rows, as_json=chosen.json)


def _print_rows(rows: Sequence[KeyRow], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([row.fields() for row in rows]))
        return
    cells = [_COLUMNS] + [
        (
            *(row.kind, row.name, row.key_id, row.state, row.until, row.line),
            row.identity[:_IDENTITY_CHARACTERS],
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    for line in cells:
        print("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip())


_COMMANDS: dict[str, Command] = {
    "create": _create,
    "list": _list,
    "export": _export,
    "distribute": _distribute,
    "rotate": _rotate,
    "activate": _activate,
    "revoke": _revoke,
    "destroy": _destroy,
    "terminal create": _terminal_create,
    "terminal renew": _terminal_renew,
    "operator create": _operator_create,
    "operator renew": _operator_renew,
    "operator sign": _operator_sign,
    "operator revoke": _operator_revoke,
    "operator list": _operator_list,
}


if __name__ == "__main__":
    sys.exit(main())

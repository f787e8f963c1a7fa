"""The configuration: what is missing, unknown or out of range is named; every key is explained."""

from datetime import date
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import msgspec
import pytest

from issuance_server import config
from issuance_server.config import Config, Paths, load
from issuance_server.core.standing import MoveOutPolicy
from protocol.errors import SetUpError
from protocol.kinds import Item

LEAST = """
[city]
code = "272035"
name = "豊中市"
prefecture = "大阪府"
mayor_title = "豊中市長"
mayor_name = "見本　一郎"
seal_text = "豊中市長之印"
call_centre = "06-0000-0000"
"""


def written(folder: Path, text: str) -> Path:
    """Write a configuration."""
    path = folder / "server.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_least_file_has_defaults_for_the_rest(tmp_path: Path) -> None:
    """A city that names itself can be served."""
    loaded = load(written(tmp_path, LEAST))

    assert ("127.0.0.1", 18_830, True) == (
        loaded.broker.host,
        loaded.broker.port,
        loaded.broker.embedded,
    )
    assert loaded.city.specimen, "nothing looks real unless somebody said so"
    assert not loaded.register.heartbeat
    assert "system" == loaded.clock.business


def test_backs_need_a_page_that_reads_them(tmp_path: Path) -> None:
    """A back tells people where to verify; without an address it would tell them nothing."""
    page = 'verify_page = "https://verify.example/"\n'
    backed = load(written(tmp_path, LEAST + page + "backs = true\n")).issuer()
    plain = load(written(tmp_path, LEAST + page)).issuer()
    with pytest.raises(SetUpError, match=r"city\.backs needs city\.verify_page"):
        load(written(tmp_path, LEAST + "backs = true\n"))

    assert (True, False) == (backed.backs, plain.backs)


EARNEST = LEAST + "specimen = false\n"


@pytest.mark.parametrize(
    ("switch", "way_out"),
    [
        ("[register]\nheartbeat = true\n", "register feed"),
        ('[clock]\nbusiness = "2026-11-30T10:00:00"\n', "let the clock be system"),
        ('[node]\nmanifest = "follow"\n', "manifest declare"),
    ],
)
def test_what_is_for_samples_is_refused_where_paper_counts(
    tmp_path: Path, switch: str, way_out: str
) -> None:
    """Both keys are named, and what to do; a specimen may have each of them."""
    key = switch.split(" ", maxsplit=1)[0].replace("[", "").replace("]\n", ".")
    with pytest.raises(SetUpError) as refused:
        load(written(tmp_path, EARNEST + switch))

    assert all(word in str(refused.value) for word in (key, "city.specimen", way_out))
    assert load(written(tmp_path, LEAST + switch)).city.specimen
    assert not load(written(tmp_path, EARNEST)).city.specimen


def test_rules_and_issuer_are_what_the_file_says(tmp_path: Path) -> None:
    """What the core needs of the city reaches it."""
    loaded = load(written(tmp_path, LEAST + "[register]\nage_seconds_max = 60\n"))
    rules = loaded.rules("software 1")

    assert ("272035", "豊中市", "software 1") == (rules.city, rules.city_name, rules.software)
    assert (Item.RELATIONSHIP, Item.DOMICILE) == rules.items
    assert 60_000 == rules.register_age_ms_max
    issuer = loaded.issuer()
    assert ("大阪府", "豊中市", "豊中市長", "見本　一郎", "豊中市長之印", True) == (
        issuer.prefecture,
        issuer.city,
        issuer.title,
        issuer.name,
        issuer.seal_text,
        issuer.specimen,
    )


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    """Wherever the command is run from; an absolute path stays what it is."""
    text = LEAST + (
        '[storage]\ndatabase = "/srv/city.db"\nkeys = "../keys"\n[rendering]\nfonts = ["a.ttf"]\n'
    )
    path = written(tmp_path, text)
    paths = Paths(path, load(path))

    assert Path("/srv/city.db") == paths.database
    assert tmp_path / "../keys" == paths.keys
    assert tmp_path / "run/control.sock" == paths.control_socket
    assert (tmp_path / "a.ttf",) == paths.fonts


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("[city]", "no_such_key = 1\n[city]"), "no_such_key"),
        (("[city]", "[city]\nmayor = 1"), r"mayor.*\$\.city"),
        (("[city]", "[brokers]\nport = 1\n[city]"), "brokers"),
        (('code = "272035"\n', ""), r"code.*\$\.city"),
        (('code = "272035"', 'code = "27203"'), r"\$\.city\.code"),
        (('code = "272035"', "code = 272035"), r"\$\.city\.code"),
        (("[city]", "[broker]\nport = 0\n[city]"), r"\$\.broker\.port"),
        (("[city]", "[rendering]\nworkers = 0\n[city]"), r"\$\.rendering\.workers"),
        (("[city]", "[register]\nage_seconds_max = 0\n[city]"), r"\$\.register\.age_seconds_max"),
        (("[city]", '[clock]\nbusiness = "noon"\n[city]'), r"\$\.clock\.business"),
        (("[city]", "[fees_yen]\njuminhyo = 200\n[city]"), "issuance-server tables load"),
        (("[city]", "[service]\nopens = 06:30:00\n[city]"), "issuance-server tables load"),
        (("[city]", "[city"), "is not right"),
    ],
)
def test_fault_names_its_key(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    """Unknown, missing, out of range, of the wrong kind, or no TOML at all."""
    with pytest.raises(SetUpError, match=named) as fault:
        load(written(tmp_path, LEAST.replace(*change)))

    assert str(tmp_path / "server.toml") in str(fault.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """And so is one that cannot be read as text."""
    with pytest.raises(SetUpError, match=r"none\.toml cannot be read: No such file"):
        load(tmp_path / "none.toml")
    path = tmp_path / "shift-jis.toml"
    path.write_bytes(LEAST.encode("shift_jis"))
    with pytest.raises(SetUpError, match="save it as UTF-8"):
        load(path)


def test_every_key_is_explained_with_its_default() -> None:
    """Nothing that a file may say is left out, and nothing is without a meaning."""
    explained = {key: (default, meaning) for key, default, meaning in config.explanations()}
    expected = set()
    for name, kind in get_type_hints(Config, include_extras=True).items():
        if get_origin(kind) is None:
            expected |= {f"{name}.{field.name}" for field in msgspec.structs.fields(kind)}
        else:
            assert get_args(kind)
            expected.add(name)

    assert expected == explained.keys()
    assert all(meaning for _, meaning in explained.values())
    assert ("required", "18830", "true") == (
        explained["city.code"][0],
        explained["broker.port"][0],
        explained["city.specimen"][0],
    )


def test_defaults_that_are_explained_are_the_defaults(tmp_path: Path) -> None:
    """What the explanation says of a key is what a file without it gets."""
    loaded = load(written(tmp_path, LEAST))
    for key, default, _ in config.explanations():
        value = loaded
        for part in key.split("."):
            value = getattr(value, part)
        if default != "required":
            read = msgspec.toml.decode(f"value = {default}")["value"]
            assert msgspec.json.encode(value) == msgspec.json.encode(read), key


def test_storage_keys_lie_where_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the key folder, where the file says, or where the environment says above all."""
    plain = written(tmp_path, LEAST)
    assert tmp_path / "keys/storage" == Paths(plain, load(plain)).key_folder.storage
    named = written(tmp_path, LEAST + '[storage]\nstorage_keys = "../stick"\n')
    assert tmp_path / "../stick" == Paths(named, load(named)).key_folder.storage
    monkeypatch.setenv("KOFU_STORAGE_KEYS", "/media/stick")

    assert Path("/media/stick") == Paths(named, load(named)).key_folder.storage


def test_eligibility_is_the_citys(tmp_path: Path) -> None:
    """What differs between cities is read; what is no word of the list is refused."""
    said = '[eligibility]\nmove_out = "person"\ntax_year_days = [2026-06-03]\nage_years_min = 16\n'
    rules = load(written(tmp_path, LEAST + said)).rules("test")

    assert MoveOutPolicy.PERSON is rules.move_out
    assert (date(2026, 6, 3),) == rules.tax_year_days
    assert 16 == rules.age_min_years
    assert MoveOutPolicy.HOUSEHOLD is load(written(tmp_path, LEAST)).rules("test").move_out
    with pytest.raises(SetUpError, match="move_out"):
        load(written(tmp_path, LEAST + '[eligibility]\nmove_out = "neighbours"\n'))

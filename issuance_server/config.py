"""The configuration: one TOML file, every key explained here, an unknown key an error.

Relative paths are relative to the file. Nothing in it is secret; keys lie in the key folder.
"""

import datetime as dt
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, field

from issuance_server.adapters.system import SAMPLE_START, business_start_ms
from issuance_server.certificates.code.claim import VERIFY_PAGE_CHARACTERS_MAX
from issuance_server.certificates.order import Issuer
from issuance_server.core.rules import CityRules
from issuance_server.core.standing import MoveOutPolicy
from issuance_server.notice_settings import Notice
from issuance_server.trace_settings import Trace
from keys.city_folder import CityFolder
from protocol.errors import SetUpError
from protocol.kinds import Item


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; a key that is not declared is refused."""


class City(_Section, frozen=True, kw_only=True):
    """Who the city is."""

    code: Annotated[str, Meta(pattern="^[0-9]{6}$", description="municipality code, 6 digits")]
    name: Annotated[str, Meta(min_length=1, description="name, as in the certificate numbers")]
    prefecture: Annotated[str, Meta(min_length=1, description="prefecture, before the title")]
    mayor_title: Annotated[str, Meta(min_length=1, description="title of who certifies")]
    mayor_name: Annotated[str, Meta(min_length=1, description="name of who certifies")]
    seal_text: Annotated[str, Meta(min_length=1, description="characters of the seal")]
    specimen: Annotated[bool, Meta(description="mark every sheet 見本")] = True
    verify_page: Annotated[
        str,
        Meta(
            max_length=VERIFY_PAGE_CHARACTERS_MAX,
            pattern=r"^(https://[^\s#]+)?$",
            description="address of the page that checks codes; empty: sheets bear no code",
        ),
    ] = ""
    backs: Annotated[
        bool, Meta(description="print each face, scrambled, on its back; needs verify_page")
    ] = False
    call_centre: Annotated[str, Meta(max_length=200, description="shown with a refusal")]


class Storage(_Section, frozen=True, kw_only=True):
    """Where things lie."""

    database: Annotated[str, Meta(description="the city's database")] = "data/city.db"
    pin_judge: Annotated[str, Meta(description="the PIN judge's database")] = "data/pin-judge.db"
    keys: Annotated[str, Meta(description="the city's key folder")] = "keys"
    storage_keys: Annotated[
        str, Meta(description="the folder of the storage keys; empty: storage/ in the key folder")
    ] = ""
    control_socket: Annotated[str, Meta(description="for the commands")] = "run/control.sock"


class Broker(_Section, frozen=True, kw_only=True):
    """The MQTT broker."""

    embedded: Annotated[bool, Meta(description="start a broker of our own on loopback")] = True
    host: Annotated[str, Meta(description="name or address")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535, description="TCP port")] = 18_830


class Clock(_Section, frozen=True, kw_only=True):
    """The business clock; keys, deadlines and certificates of keys use the real time."""

    business: Annotated[
        str,
        Meta(
            description=f"system, or where it starts, such as {SAMPLE_START}; that only where"
            " city.specimen is true"
        ),
    ] = "system"


class Register(_Section, frozen=True, kw_only=True):
    """The copy of the resident register."""

    age_seconds_max: Annotated[
        int, Meta(ge=1, le=86_400, description="an older copy refuses to issue")
    ] = 600
    heartbeat: Annotated[
        bool, Meta(description="the copy feeds itself; only where city.specimen is true")
    ] = False


class Eligibility(_Section, frozen=True, kw_only=True):
    """Who may have what, where cities differ."""

    age_years_min: Annotated[
        int, Meta(ge=0, le=20, description="who is younger may have nothing at a terminal")
    ] = 15
    move_out: Annotated[
        MoveOutPolicy,
        Meta(
            description="what a filed move-out stops: household (all of the person, juminhyo and"
            " kisaijiko of the others), person, nobody"
        ),
    ] = MoveOutPolicy.HOUSEHOLD
    tax_year_days: Annotated[
        tuple[dt.date, ...],
        Meta(description="days from which a year's tax records are the latest; else 1 June"),
    ] = ()


class Rendering(_Section, frozen=True, kw_only=True):
    """The making of certificates."""

    workers: Annotated[int, Meta(ge=1, le=64, description="processes")] = 1
    fonts: Annotated[
        tuple[str, ...], Meta(description="font files in order of preference; none: Noto JP")
    ] = ()


class ManifestMode(Enum):
    """How strictly a node is held to the declared manifest."""

    DECLARED = "declared"  # a node that differs does not start, nor does a child
    FOLLOW = "follow"  # it starts, and the differences are logged


class Node(_Section, frozen=True, kw_only=True):
    """The machine and the program that serve the city."""

    manifest: Annotated[
        ManifestMode,
        Meta(
            description="declared: a node that differs from the declared manifest does not start;"
            " follow: it starts and logs the differences, only where city.specimen is true"
        ),
    ] = ManifestMode.DECLARED


class Shutdown(_Section, frozen=True, kw_only=True):
    """The orderly stop (予備閉局)."""

    drain_seconds_max: Annotated[
        int, Meta(ge=0, le=3_600, description="wait so long for issuances under way")
    ] = 60


class Config(_Section, frozen=True, kw_only=True):
    """The whole file."""

    city: City
    storage: Storage = field(default_factory=Storage)
    broker: Broker = field(default_factory=Broker)
    items: Annotated[
        tuple[Item, ...], Meta(description="what a resident may ask for beside the rest")
    ] = (Item.RELATIONSHIP, Item.DOMICILE)
    clock: Clock = field(default_factory=Clock)
    register: Register = field(default_factory=Register)
    eligibility: Eligibility = field(default_factory=Eligibility)
    rendering: Rendering = field(default_factory=Rendering)
    node: Node = field(default_factory=Node)
    shutdown: Shutdown = field(default_factory=Shutdown)
    notice: Notice = field(default_factory=Notice)
    trace: Trace = field(default_factory=Trace)

    def rules(self, software: str) -> CityRules:
        """Return the rules that the core needs."""
        return CityRules(
            city=self.city.code,
            city_name=self.city.name,
            software=software,
            call_centre=self.city.call_centre,
            items=self.items,
            age_min_years=self.eligibility.age_years_min,
            register_age_ms_max=self.register.age_seconds_max * 1_000,
            move_out=self.eligibility.move_out,
            tax_year_days=self.eligibility.tax_year_days,
        )

    def issuer(self) -> Issuer:
        """Return who certifies."""
        return Issuer(
            prefecture=self.city.prefecture,
            city=self.city.name,
            title=self.city.mayor_title,
            name=self.city.mayor_name,
            seal_text=self.city.seal_text,
            specimen=self.city.specimen,
            verify_page=self.city.verify_page,
            backs=self.city.backs,
        )


class Paths:
    """The configured paths, resolved against the file's folder."""

    def __init__(self, config_file: Path, config: Config) -> None:
        folder = config_file.resolve().parent
        self.database = folder / config.storage.database
        self.pin_judge = folder / config.storage.pin_judge
        self.keys = folder / config.storage.keys
        chosen = config.storage.storage_keys
        self.key_folder = CityFolder.at(self.keys, configured=folder / chosen if chosen else None)
        self.folder = folder
        self.control_socket = folder / config.storage.control_socket
        self.fonts = tuple(folder / font for font in config.rendering.fonts)


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        SetUpError: it cannot be read, is no TOML, has an unknown key, lacks one, or a value is out
            of its range, or what is for samples stands beside ``city.specimen = false``; the text
            names the key.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SetUpError(
            f"the configuration {path} cannot be read: {error.strerror}; name it with --config FILE"
        ) from error
    try:
        config = msgspec.toml.decode(text, type=Config)
    except msgspec.DecodeError as error:
        if _MOVED.search(str(error)):
            error = msgspec.DecodeError(f"{error}; {_MOVED_WHERE}")
        raise SetUpError(f"the configuration {path} is not right: {error}") from error
    except UnicodeDecodeError:
        raise SetUpError(f"the configuration {path} is not right: save it as UTF-8") from None
    if config.city.backs and not config.city.verify_page:
        raise SetUpError(
            f"the configuration {path} is not right: city.backs needs city.verify_page, for backs "
            "tell people where to verify; name the page, or have no backs"
        )
    try:
        business_start_ms(config.clock.business)
        check_clock(config, config.clock.business, said="clock.business")
    except SetUpError as error:
        raise SetUpError(
            f"the configuration {path} is not right: {error} - at `$.clock.business`"
        ) from None
    if not config.city.specimen:
        _check_in_earnest(path, config)
    return config


def check_clock(config: Config, start: str, *, said: str) -> None:
    """Refuse a business clock that somebody set, where paper is not marked as a specimen.

    Args:
        config: the city's.
        start: where the business clock is to start, as in ``clock.business``.
        said: where that was said, for the refusal.

    Raises:
        SetUpError: the clock is set and the paper counts; the text names the way out.
    """
    if start != "system" and not config.city.specimen:
        raise SetUpError(
            f"{said} sets the business clock to {start} while city.specimen = false, so paper that"
            " counts would bear a day that is not today; let the clock be system, or say"
            " city.specimen = true"
        )


def _check_in_earnest(path: Path, config: Config) -> None:
    """Refuse what is for sample cities, in one whose paper counts.

    Raises:
        SetUpError: something is switched on; the text names both keys and the way out.
    """
    if config.register.heartbeat:
        raise SetUpError(
            f"the configuration {path} is not right: with register.heartbeat = true the copy looks"
            " fresh whatever its age, which is for samples, but city.specimen = false; take"
            " register.heartbeat out and have the copy fed (register feed), or say"
            " city.specimen = true"
        )
    if config.node.manifest is ManifestMode.FOLLOW:
        raise SetUpError(
            f'the configuration {path} is not right: with node.manifest = "follow" any program'
            " serves, which is for samples, but city.specimen = false; take node.manifest out and"
            " have the node declared (manifest declare), or say city.specimen = true"
        )


_MOVED = re.compile("unknown field `(service|fees_yen)`")
_MOVED_WHERE = (
    "hours and fees stand in the city's tables now: write them into tables.toml, load that with"
    " issuance-server tables load tables.toml, and take [service] and [fees_yen] out here"
)


def explanations() -> Iterator[tuple[str, str, str]]:
    """Give key, default and meaning of everything that a file may say."""
    for name, kind in get_type_hints(Config, include_extras=True).items():
        if get_origin(kind) is Annotated:
            yield name, _default_of(Config, name), _meaning(kind)
            continue
        for key, annotated in get_type_hints(kind, include_extras=True).items():
            yield f"{name}.{key}", _default_of(kind, key), _meaning(annotated)


def _meaning(annotated: object) -> str:
    metas = [extra for extra in get_args(annotated)[1:] if isinstance(extra, Meta)]
    return next((meta.description for meta in metas if meta.description), "")


def _default_of(section: type, key: str) -> str:
    """Return a default as it would stand in the file."""
    for declared in msgspec.structs.fields(section):
        if declared.name == key and declared.default is not msgspec.NODEFAULT:
            return msgspec.json.encode(declared.default).decode()
    return "required"

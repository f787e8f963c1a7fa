"""A configured city: its configuration, its files and its keys, taken together.

What serves the city and every command that works on it begin here; nothing is started.
"""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.config import Config, Paths
from issuance_server.control.act_check import Believed
from issuance_server.manifest import Child, check_of
from issuance_server.notice_settings import sender_of
from issuance_server.observe.logging import log
from issuance_server.ports import NoticeSender
from keys.city_keys import ServerKeys, load_server_keys
from keys.operators import OperatorRing
from protocol.errors import SetUpError


def software() -> str:
    """Return name and version of this program."""
    try:
        return f"konbini-kofu {version('konbini-kofu')}"
    except PackageNotFoundError:
        return "konbini-kofu (not installed)"


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A configured city whose files are at hand."""

    config: Config
    paths: Paths
    keys: ServerKeys

    @classmethod
    def load(cls, config_file: Path, config: Config) -> "City":
        """Take configuration and keys together.

        Raises:
            SetUpError: the keys are of another city.
            KeyManagementError: keys are missing, damaged, or readable by others.
        """
        paths = Paths(config_file, config)
        keys = load_server_keys(paths.keys, storage=paths.key_folder.storage)
        for font in paths.fonts:
            if not font.is_file():
                raise SetUpError(f"the font {font} of rendering.fonts does not exist")
        if keys.city != config.city.code:
            raise SetUpError(
                f"{paths.keys} holds the keys of city {keys.city}, the configuration is for"
                f" {config.city.code}"
            )
        return cls(config=config, paths=paths, keys=keys)

    def judge(self) -> JudgeClient:
        """Return the client of this city's PIN judge, not yet started."""
        return JudgeClient.of_city(
            store=self.paths.pin_judge,
            keys=self.paths.key_folder,
            city=self.config.city.code,
            on_restart=lambda exit_status: log("judge.restarted", exit_status=exit_status),
            build=check_of(Child.PIN_JUDGE, self.config.node.manifest),
        )

    def notice_sender(self) -> NoticeSender | None:
        """Return how notices leave, or None.

        Raises:
            SetUpError: the configuration is not complete.
            KeyManagementError: the password is missing, or readable by others.
        """
        return sender_of(self.config.notice, self.paths.folder, self.config.city.name)

    def operators(self) -> OperatorRing:
        """Return the operators as they are now; one that was added needs no restart."""
        return OperatorRing.load(self.paths.key_folder.operators, self.keys.trust)

    def believed(self) -> Believed:
        """Return whose signatures count."""
        return Believed(
            operators=self.operators,
            authority_certificate=self.keys.trust.authority_certificate,
        )

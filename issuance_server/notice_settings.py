"""How notices to holders (本人通知) leave: the configuration's ``[notice]``."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from issuance_server.adapters.senders import FileSender, MailServer, SmtpSender
from issuance_server.core.notices import is_address
from issuance_server.ports import NoticeSender
from keys import file_store
from protocol.errors import SetUpError
from protocol.secret import Secret


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Notices to holders (本人通知)."""

    sender: Annotated[
        Literal["none", "file", "smtp"],
        Meta(description="how notices leave: file, smtp; none: they wait in the outbox"),
    ] = "none"
    folder: Annotated[str, Meta(description="file: one JSON file for each notice")] = "notices"
    from_address: Annotated[str, Meta(description="smtp: the city's own mail address")] = ""
    smtp_host: Annotated[str, Meta(description="smtp: the mail server's name")] = ""
    smtp_port: Annotated[int, Meta(ge=1, le=65_535, description="smtp: its TCP port")] = 587
    starttls: Annotated[bool, Meta(description="smtp: encrypt before anything is said")] = True
    ca_file: Annotated[
        str, Meta(description="smtp: authorities to believe; empty: the system's")
    ] = ""
    user: Annotated[str, Meta(description="smtp: to log in with; empty: without")] = ""
    password_file: Annotated[str, Meta(description="smtp: its password, for its owner only")] = ""
    wait_seconds_max: Annotated[
        int, Meta(ge=1, le=300, description="smtp: so long an answer may take")
    ] = 30


def sender_of(settings: Notice, folder: Path, city: str) -> NoticeSender | None:
    """Return the way that is configured, or None.

    Args:
        settings: the section.
        folder: of the configuration; paths are relative to it.
        city: the city's name, for the text.

    Raises:
        SetUpError: something is missing or does not go together; the text names the key.
        KeyManagementError: the password is missing, or readable by others.
    """
    if settings.sender == "none":
        return None
    if settings.sender == "file":
        return FileSender(folder / settings.folder, city)
    if not settings.smtp_host:
        raise SetUpError("notice.sender is smtp: name the mail server in notice.smtp_host")
    if not is_address(settings.from_address):
        raise SetUpError("notice.sender is smtp: write the city's address into notice.from_address")
    server = MailServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        starttls=settings.starttls,
        ca_file=_authorities(settings, folder),
        user=settings.user,
        password=_password(settings, folder),
        wait_s_max=settings.wait_seconds_max,
    )
    return SmtpSender(server, from_address=settings.from_address, city=city)


def _authorities(settings: Notice, folder: Path) -> Path | None:
    if not settings.ca_file:
        return None
    path = folder / settings.ca_file
    if not path.is_file():
        raise SetUpError(f"{path} of notice.ca_file does not exist")
    return path


def _password(settings: Notice, folder: Path) -> Secret | None:
    if bool(settings.user) != bool(settings.password_file):
        raise SetUpError("notice.user and notice.password_file go together")
    if not settings.user:
        return None
    if not settings.starttls:
        raise SetUpError("notice.user needs notice.starttls: no password goes over an open line")
    return Secret(file_store.read_private(folder / settings.password_file).reveal().strip())

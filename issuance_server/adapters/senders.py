"""Ways for a notice to leave: a file in a folder, or a mail.

Both take the notice's key along, so that who gets a notice twice can tell: the file is named by it,
the mail has it as Message-ID.
"""

import asyncio
import contextlib
import os
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import msgspec

from issuance_server.core.notices import Letter
from protocol.errors import AdapterError
from protocol.secret import Secret

_FILE_MODE = 0o600
_FOLDER_MODE = 0o700


def subject_of(city: str) -> str:
    """Return the subject; it is the same for every notice."""
    return f"【{city}】証明書が交付されました (A certificate was issued)"


def text_of(city: str, letter: Letter) -> str:
    """Return the text: when, which kind, which store, and nothing else of it."""
    at = letter.issued_at
    return (
        f"{city}から、本人通知のお知らせです。\n\n"
        f"日時: {at.year}年{at.month}月{at.day}日 {at:%H:%M}\n"
        f"証明書: {letter.kind.title}\n"
        f"交付場所: {letter.store}\n\n"
        "あなたのカードで上の証明書が交付されました。お心当たりがないときは、市の窓口にご連絡ください。\n\n"
        "A certificate was issued with your card at this time and place. If it was not you, please "
        "tell the city's counter.\n"
    )


class FileSender:
    """Lays every notice as one JSON file into a folder, for whatever takes it on from there."""

    def __init__(self, folder: Path, city: str) -> None:
        self._folder = folder
        self._city = city

    async def send(self, letter: Letter) -> None:
        """Write the file, whole or not at all; one that is there is written again.

        Raises:
            AdapterError: the disk refuses.
        """
        try:
            await asyncio.to_thread(self._write, letter)
        except OSError as error:
            raise AdapterError(f"folder-{(error.strerror or 'refuses').lower()}") from None

    def _write(self, letter: Letter) -> None:
        self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        content = {
            "key": letter.key,
            "to": letter.address,
            "issued_at": letter.issued_at.isoformat(timespec="minutes"),
            "kind": letter.kind.value,
            "store": letter.store,
            "subject": subject_of(self._city),
            "text": text_of(self._city, letter),
        }
        place = self._folder / f"{letter.key}.json"
        unfinished = place.with_suffix(".part")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """How the city's mail server is reached.

    Attributes:
        host: its name, as its certificate has it.
        port: TCP port.
        starttls: whether the line is encrypted before anything is said; without it no password is
            ever sent.
        ca_file: authorities to believe; None: those of the system.
        user: to log in with; empty: without.
        password: its password.
        wait_s_max: how long an answer may take.
    """

    host: str
    port: int
    starttls: bool = True
    ca_file: Path | None = None
    user: str = ""
    password: Secret | None = None
    wait_s_max: int = 30


class SmtpSender:
    """Hands every notice to a mail server (RFC 5321), encrypted by STARTTLS (RFC 3207)."""

    def __init__(self, server: MailServer, *, from_address: str, city: str) -> None:
        self._server = server
        self._from = from_address
        self._city = city

    async def send(self, letter: Letter) -> None:
        """Hand it over; when this returns, the server has taken it.

        Raises:
            AdapterError: it did not, or nobody knows; the text is a word for the log.
        """
        try:
            await asyncio.to_thread(self._hand_over, letter)
        except smtplib.SMTPRecipientsRefused:
            raise AdapterError("recipient-refused") from None
        except smtplib.SMTPAuthenticationError:
            raise AdapterError("login-refused") from None
        except smtplib.SMTPNotSupportedError:
            raise AdapterError("server-lacks-starttls-or-login") from None
        except ssl.SSLError:
            raise AdapterError("server-not-believed") from None
        except (smtplib.SMTPException, OSError):  # its text may repeat an address
            raise AdapterError("server-failed") from None

    def message(self, letter: Letter) -> EmailMessage:
        """Return the mail. The time of a second sending differs, the Message-ID does not."""
        mail = EmailMessage()
        mail["From"] = self._from
        mail["To"] = letter.address
        mail["Subject"] = subject_of(self._city)
        mail["Date"] = letter.issued_at
        mail["Message-ID"] = f"<{letter.key}@{self._from.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence answers it
        mail.set_content(text_of(self._city, letter))
        return mail

    def _hand_over(self, letter: Letter) -> None:
        server = self._server
        wait_s = server.wait_s_max
        with smtplib.SMTP(server.host, server.port, timeout=wait_s) as connection:
            if server.starttls:
                connection.starttls(context=ssl.create_default_context(cafile=server.ca_file))
            if server.user and server.password is not None:
                connection.login(server.user, server.password.reveal().decode())
            connection.send_message(self.message(letter), self._from, [letter.address])
            with contextlib.suppress(smtplib.SMTPException):
                connection.quit()  # it was taken; what follows cannot take it back

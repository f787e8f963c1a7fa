"""Ways for a notice to leave: what arrives, and what is said when nothing does."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from issuance_server.adapters.senders import FileSender, MailServer, SmtpSender
from issuance_server.core.calendar import JST
from issuance_server.core.notices import Letter
from issuance_server.notice_settings import Notice, sender_of
from protocol.errors import AdapterError, KeyManagementError, SetUpError
from protocol.kinds import Kind
from protocol.secret import Secret
from tests.adapters.smtp_sink import localhost_tls, smtp_sink

KEY = "00112233445566778899aabbccddeeff"
ADDRESS = "canary@resident.example"
LETTER = Letter(
    key=KEY,
    address=ADDRESS,
    issued_at=datetime(2026, 11, 30, 10, 5, tzinfo=JST),
    kind=Kind.INKAN,
    store="見本 見本店",
    tries=0,
)
FROM = "shimin@city.example"


def sender(port: int, ca_file: Path | None, **changes: object) -> SmtpSender:
    usual: dict[str, object] = {"host": "localhost", "port": port, "ca_file": ca_file}
    server = MailServer(**(usual | changes))  # type: ignore[arg-type]  # as the tests write it
    return SmtpSender(server, from_address=FROM, city="豊中市")


async def test_mail_goes_encrypted_and_says_when_what_and_where(tmp_path: Path) -> None:
    """The key is the Message-ID; a second sending has the same one."""
    tls, ca_file = localhost_tls(tmp_path)
    async with smtp_sink(tls) as sink:
        mails = sender(sink.port, ca_file, user="city", password=Secret(b"canary-word"))
        await mails.send(LETTER)
        await mails.send(LETTER)

    assert [True, True] == sink.secured
    assert [b"\0city\0canary-word"] * 2 == sink.logins
    (from_address, to, mail), (_, _, again) = sink.mails
    assert (FROM, [ADDRESS]) == (from_address, to)
    assert f"<{KEY}@city.example>" == mail["Message-ID"] == again["Message-ID"]
    text = mail.get_content()
    assert all(word in text for word in ("2026年11月30日 10:05", "印鑑", "見本 見本店"))
    assert "auto-generated" == mail["Auto-Submitted"]


async def test_a_server_that_is_not_believed_gets_nothing(tmp_path: Path) -> None:
    """Neither with a certificate of somebody else, nor without encryption."""
    tls, _ = localhost_tls(tmp_path)
    (tmp_path / "other").mkdir()
    _, other = localhost_tls(tmp_path / "other")
    async with smtp_sink(tls) as sink:
        with pytest.raises(AdapterError, match="server-not-believed"):
            await sender(sink.port, other).send(LETTER)
    async with smtp_sink() as plain:
        with pytest.raises(AdapterError, match="server-lacks-starttls-or-login"):
            await sender(plain.port, None).send(LETTER)
        await sender(plain.port, None, starttls=False).send(LETTER)

    assert ([], [False]) == (sink.mails, plain.secured)


async def test_a_refusal_does_not_repeat_the_address() -> None:
    """What the mail server says may hold it; the log must not."""
    async with smtp_sink() as sink:
        sink.refuses = f"550 no {ADDRESS} here".encode()
        with pytest.raises(AdapterError) as refused:
            await sender(sink.port, None, starttls=False).send(LETTER)
        sink.refuses, sink.hangs_up = b"", True
        with pytest.raises(AdapterError, match="server-failed") as broken:
            await sender(sink.port, None, starttls=False).send(LETTER)
    with pytest.raises(AdapterError, match="server-failed"):
        await sender(sink.port, None, starttls=False).send(LETTER)

    assert "recipient-refused" == str(refused.value)
    assert ADDRESS not in repr(refused.value) + repr(broken.value) + repr(LETTER)
    assert refused.value.__cause__ is None


async def test_a_file_is_whole_private_and_named_by_its_key(tmp_path: Path) -> None:
    """A second sending writes the same file again."""
    folder = tmp_path / "notices"
    files = FileSender(folder, "豊中市")
    await files.send(LETTER)
    await files.send(LETTER)

    (path,) = folder.iterdir()
    assert (f"{KEY}.json", 0o600, 0o700) == (
        path.name,
        path.stat().st_mode & 0o777,
        folder.stat().st_mode & 0o777,
    )
    told = json.loads(path.read_text(encoding="utf-8"))
    assert {"key", "to", "issued_at", "kind", "store", "subject", "text"} == told.keys()
    assert ("2026-11-30T10:05+09:00", "inkan", ADDRESS) == (
        told["issued_at"],
        told["kind"],
        told["to"],
    )


async def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    """It is tried again later."""
    (tmp_path / "notices").write_text("a file")

    with pytest.raises(AdapterError, match="folder-"):
        await FileSender(tmp_path / "notices", "豊中市").send(LETTER)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"sender": "smtp", "from_address": FROM}, "notice.smtp_host"),
        ({"sender": "smtp", "smtp_host": "mail"}, "notice.from_address"),
        ({"sender": "smtp", "smtp_host": "m", "from_address": FROM, "ca_file": "no"}, "no of"),
        ({"sender": "smtp", "smtp_host": "m", "from_address": FROM, "user": "u"}, "go together"),
        (
            {
                "sender": "smtp",
                "smtp_host": "m",
                "from_address": FROM,
                "user": "u",
                "password_file": "word",
                "starttls": False,
            },
            "no password goes over an open line",
        ),
    ],
)
def test_settings_that_do_not_go_together_name_the_key(
    settings: dict[str, object], told: str, tmp_path: Path
) -> None:
    """Before the server starts."""
    with pytest.raises(SetUpError, match=told):
        sender_of(Notice(**settings), tmp_path, "豊中市")  # type: ignore[arg-type]


def test_password_is_read_from_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    """Others must not read it; a line's end is not part of it."""
    word = tmp_path / "word"
    word.write_text("canary-word\n")
    word.chmod(0o644)
    settings = Notice(
        sender="smtp", smtp_host="m", from_address=FROM, user="u", password_file="word"
    )
    with pytest.raises(KeyManagementError, match="others can read it"):
        sender_of(settings, tmp_path, "豊中市")
    word.chmod(0o600)

    made = sender_of(settings, tmp_path, "豊中市")
    assert isinstance(made, SmtpSender)
    assert "canary" not in repr(vars(made))
    assert sender_of(Notice(), tmp_path, "豊中市") is None
    assert isinstance(sender_of(Notice(sender="file"), tmp_path, "豊中市"), FileSender)

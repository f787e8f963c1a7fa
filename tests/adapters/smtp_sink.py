"""A mail server that keeps what it gets: as much of RFC 5321 and RFC 3207 as a sender needs."""

import asyncio
import base64
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class SmtpSink:
    """What came in, and how the server behaves.

    Attributes:
        mails: those that were taken, with envelope.
        secured: for each of them, whether the line was encrypted.
        logins: what was given to log in.
        refuses: answers to the recipient with this line.
        hangs_up: lets go of the line where the mail should be taken.
    """

    tls: ssl.SSLContext | None = None
    port: int = 0
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)
    refuses: bytes = b""
    hangs_up: bool = False

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        sender, recipients, secured = "", list[str](), False

        def say(line: bytes) -> None:
            writer.write(line + b"\r\n")

        say(b"220 sink")
        while line := await reader.readline():
            verb = line.split(b" ")[0].strip().upper()
            if verb == b"EHLO":
                offers = b"250-STARTTLS\r\n" if self.tls and not secured else b""
                say(b"250-sink\r\n" + offers + b"250 AUTH PLAIN")
            elif verb == b"STARTTLS" and self.tls is not None:
                say(b"220 go")
                await writer.drain()
                await writer.start_tls(self.tls)
                secured = True
            elif verb == b"AUTH":
                self.logins.append(base64.b64decode(line.split()[2]))
                say(b"235 welcome")
            elif verb == b"MAIL":
                sender = line.partition(b"<")[2].partition(b">")[0].decode()
                say(b"250 ok")
            elif verb == b"RCPT":
                recipients.append(line.partition(b"<")[2].partition(b">")[0].decode())
                say(self.refuses or b"250 ok")
            elif verb == b"DATA":
                say(b"354 go on")
                content = await reader.readuntil(b"\r\n.\r\n")
                if self.hangs_up:
                    break
                mail = message_from_bytes(content[:-5], policy=policy.default)
                assert isinstance(mail, EmailMessage)
                self.mails.append((sender, recipients, mail))
                self.secured.append(secured)
                say(b"250 taken")
            elif verb == b"QUIT":
                say(b"221 bye")
                break
            else:
                say(b"250 ok")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def smtp_sink(tls: ssl.SSLContext | None = None) -> AsyncIterator[SmtpSink]:
    """Run a sink on loopback."""
    sink = SmtpSink(tls=tls)
    server = await asyncio.start_server(sink.talk, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    async with server:
        yield sink


def localhost_tls(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for localhost; return the server's side, and the file to believe."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    believed, both = folder / "ca.pem", folder / "server.pem"
    believed.write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both.write_bytes(pem + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, believed

"""What goes between the server and a rendering worker."""

from typing import TypeAlias

import msgspec

from issuance_server.certificates.order import RefusalReason, Rendered


class Made(msgspec.Struct, frozen=True, kw_only=True, tag="made"):
    """The certificate."""

    rendered: Rendered


class NotMade(msgspec.Struct, frozen=True, kw_only=True, tag="not-made"):
    """The record cannot be printed as it must be; ``item`` names what is to be corrected."""

    reason: RefusalReason
    item: str = ""


Answer: TypeAlias = Made | NotMade

encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
decode_answer = _decoder.decode

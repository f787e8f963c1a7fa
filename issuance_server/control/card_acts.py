"""Acts about cards, which the PIN judge carries out."""

from collections.abc import Mapping

from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.control import wire
from issuance_server.control.act_check import ActKind, Asked
from protocol.errors import KeyManagementError


async def _unlocking(asked: Asked) -> None:
    card_ref = asked.act.subject
    registered = dict(await asked.queries.cards())
    if card_ref not in registered or not await asked.judge.card_known(card_ref):
        raise KeyManagementError(f"no card has the reference {card_ref}")


async def _unlock(judge: JudgeClient, act: wire.Act) -> None:
    await judge.unlock(act.signed)


CARD_ACTS: Mapping[str, ActKind] = {
    wire.ACT_CARD_UNLOCK: ActKind(
        check=_unlocking, carry_out=_unlock, done_event="card.unlocked", subject_field="card_ref"
    ),
}

"""Collects what a step asks for, and lets every record change the state as it is written."""

from issuance_server.core.effects import Effect, Log, Reply, Write
from issuance_server.core.records import AnyRecord
from issuance_server.core.state import Issuance, SwitchState, Visit, evolve
from protocol.codes import ReplyCode
from protocol.telegrams import Acknowledged, AnyTelegram, Refused, RequestRef


class Outcome:
    """The effects of one step, in order."""

    def __init__(self, state: SwitchState) -> None:
        self._state = state
        self.effects: list[Effect] = []

    def write(self, record: AnyRecord) -> Visit | Issuance | None:
        """Journal a record and evolve the state by it; return what it touched."""
        self.effects.append(Write(record=record))
        return evolve(self._state, record)

    def add(self, effect: Effect) -> None:
        """Ask for something else."""
        self.effects.append(effect)

    def log(self, event: str, **fields: object) -> None:
        """Ask for a log event of the catalogue."""
        self.effects.append(Log(event=event, fields=fields))

    def reply(
        self,
        terminal: str,
        ref: RequestRef | None,
        telegram: AnyTelegram,
        *,
        witnessed: int | None = None,
    ) -> None:
        """Answer a copy of a request; nothing if nobody waits (None, after a restart)."""
        if ref is not None:
            self.effects.append(
                Reply(terminal=terminal, ref=ref, telegram=telegram, witnessed=witnessed)
            )

    def refuse(
        self,
        terminal: str,
        ref: RequestRef | None,
        code: ReplyCode,
        *,
        tries_left: int | None = None,
    ) -> None:
        """Answer with a refusal."""
        self.reply(terminal, ref, Refused(code=code, tries_left=tries_left))

    def acknowledge(self, terminal: str, ref: RequestRef | None, state_name: str) -> None:
        """Answer that it is taken and recorded."""
        self.reply(terminal, ref, Acknowledged(state=state_name))

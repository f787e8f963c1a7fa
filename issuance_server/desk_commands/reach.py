"""Reaches the city: through the running server's control socket, or alone when none runs."""

from issuance_server.adapters.control_socket import ASK_WAIT_MS_MAX, ask_control
from issuance_server.adapters.file_lock import only_one
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.adapters.system import SystemClock
from issuance_server.city import City
from issuance_server.control import wire
from issuance_server.control.acts import ACTS
from issuance_server.control.desk import ControlDesk
from issuance_server.core.copy_changes import staged_by
from issuance_server.core.inputs import ActAccepted, ActEnded, NewTables
from issuance_server.core.state import SwitchState
from issuance_server.core.switch import Switch
from issuance_server.observe.logging import log
from issuance_server.runtime.commit_loop import CommitLoop
from issuance_server.runtime.folding import folded_state

LOCK_WAIT_MS = 500


async def ask(city: City, request: wire.Request, *, wait_ms: int = ASK_WAIT_MS_MAX) -> wire.Answer:
    """Return the city's answer.

    Args:
        city: the city.
        request: what is asked.
        wait_ms: how long a running server may take.

    Raises:
        KofuError: it was refused; the text says why.
    """
    reply = await ask_control(city.paths.control_socket, wire.encode(request), wait_ms=wait_ms)
    if reply is None:
        reply = await _alone(city, request)
    return wire.decode_answer(reply)


async def _alone(city: City, request: wire.Request) -> bytes:
    """Answer in this process, holding the city's lock as a server would."""
    clock = SystemClock()
    async with only_one(city.paths.database, wait_ms=LOCK_WAIT_MS):
        store = await SqliteStore.open(city.paths.database)
        judge = city.judge()
        try:
            if _asks_judge(request):
                await judge.start()

            async def record(act: ActAccepted | ActEnded) -> None:
                change = act.change if isinstance(act, ActAccepted) else None
                if isinstance(change, NewTables):
                    state = SwitchState()  # tables that cannot be read are put right by this
                else:
                    state = await folded_state(store, clock.now().real_ms)
                commits = CommitLoop(
                    switch=Switch(city.config.rules("command"), state),
                    store=store,
                    clock=clock,
                    perform=lambda _effect: None,  # nobody is there whom it could reach
                    committed=lambda: None,
                )
                await commits.commit([act], attached=staged_by(change))

            desk = ControlDesk(
                queries=Queries(city.paths.database),
                judge=judge,
                believed=city.believed(),
                record=record,
                clock=clock,
                log=log,
            )
            answer = await desk.handle(wire.encode(request))
            at_ms = clock.now().real_ms
            await store.sign_tree(
                city=city.config.city.code, at_ms=at_ms, sign=city.keys.checkpoint.sign
            )
            return answer
        finally:
            await judge.stop()
            await store.close()


def _asks_judge(request: wire.Request) -> bool:
    """Tell whether the PIN judge has to be there for the answer."""
    if isinstance(request, wire.Act):
        kind = ACTS.get(request.signed.act.act)
        return kind is not None and kind.carry_out is not None
    return isinstance(request, wire.ListCards | wire.DrawCardChallenge)

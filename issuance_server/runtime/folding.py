"""What a process begins with: the journal's records of what has not ended, and the tables."""

from issuance_server.core.state import SwitchState, evolve
from issuance_server.core.tables.loaded import read_loaded
from issuance_server.ports import Store


async def fold_into(state: SwitchState, store: Store, now_ms: int) -> None:
    """Bring an empty state to where the last process left it.

    Args:
        state: is filled; whoever shares it sees the same.
        store: the journal and its tables.
        now_ms: real time; visits that are over by then are left out.
    """
    for record in await store.records_of_open_subjects(now_ms):
        evolve(state, record)
    # A stop is folded with its issuance and may have ended since; the table knows.
    state.stopped_terminals = await store.stopped_terminals()
    state.issuing_stopped = await store.issuing_stopped()
    state.tables = read_loaded(await store.tables())
    state.judge_report = await store.last_judge_report()
    state.closed_through = await store.closed_through()


async def folded_state(store: Store, now_ms: int) -> SwitchState:
    """Return the state with which a process begins."""
    state = SwitchState()
    await fold_into(state, store, now_ms)
    return state

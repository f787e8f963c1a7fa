"""What a process begins with: the journal's records of what has not ended, and the tables."""

from collections.abc import Callable

from issuance_server.core.records import AnyRecord
from issuance_server.core.replay import Beginning, begin
from issuance_server.core.state import SwitchState, evolve
from issuance_server.ports import Store


async def fold_into(
    state: SwitchState,
    store: Store,
    now_ms: int,
    folded: Callable[[AnyRecord], None] = lambda _record: None,
) -> Beginning:
    """Bring an empty state to where the last process left it.

    Args:
        state: is filled; whoever shares it sees the same.
        store: the journal and its tables.
        now_ms: real time; visits that are over by then are left out.
        folded: told of every record, in order.

    Returns:
        what was read beside the records.
    """
    for record in await store.records_of_open_subjects(now_ms):
        evolve(state, record)
        folded(record)
    tables = await store.tables()
    beginning = Beginning(
        stopped_terminals=tuple(sorted(await store.stopped_terminals())),
        issuing_stopped=await store.issuing_stopped(),
        tables=None if tables is None else tables.content,
        judge_report=await store.last_judge_report(),
        closed_through=await store.closed_through(),
    )
    begin(state, beginning)
    return beginning


async def folded_state(store: Store, now_ms: int) -> SwitchState:
    """Return the state with which a process begins."""
    state = SwitchState()
    await fold_into(state, store, now_ms)
    return state

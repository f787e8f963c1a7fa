"""How often a running server does what nobody asks it for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Times between two rounds of each periodic work, in milliseconds.

    Attributes:
        judge_events_ms: the judge is asked what happened to cards.
        tree_ms: the audit tree is signed.
        list_ms: how late the end of a key certificate is noticed. An act of an operator is not
            waited for: it has changed the list when it returns.
        register_ms: the age of the register copy is looked at.
        heartbeat_ms: the register copy of a sample city notes that it is as of now.
        day_keys_ms: day keys that wrap nothing any more are destroyed.
        forget_ms: what applicants typed is erased, a while after the counter's decision.
        drops_ms: dropped messages are logged, one line for each kind.
        write_ahead_log_ms: the write-ahead log is emptied.
        evidence_ms: what must be kept is looked at.
        trace_ms: what went wrong with a recording is logged.
        drain_poll_ms: a drain looks whether all is done.
    """

    judge_events_ms: int = 1_000
    tree_ms: int = 1_000
    list_ms: int = 500
    register_ms: int = 1_000
    heartbeat_ms: int = 30_000
    day_keys_ms: int = 60 * 60 * 1_000
    forget_ms: int = 60 * 60 * 1_000
    drops_ms: int = 500
    write_ahead_log_ms: int = 60_000
    evidence_ms: int = 1_000
    trace_ms: int = 5_000
    drain_poll_ms: int = 50


INTERVALS = Intervals()

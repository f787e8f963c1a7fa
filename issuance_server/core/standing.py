"""How a resident stands in the register (異動の状態), and what a move-out that is filed stops."""

from enum import Enum


class Standing(Enum):
    """One resident's state, as the register copy tells it."""

    CURRENT = "current"
    MOVE_OUT_FILED = "move-out-filed"  # 転出届: from the filing on, also before the planned day
    CHARACTERS_PENDING = "characters-pending"  # moved in, and a character of the name is being made
    MOVED = "moved"  # 転出
    DIED = "died"  # 死亡
    REMOVED = "removed"  # 職権消除

    @property
    def is_removed(self) -> bool:
        """Whether the entry is a 除票: the person gets nothing, and is shown to nobody."""
        return self in _REMOVED


_REMOVED = frozenset({Standing.MOVED, Standing.DIED, Standing.REMOVED})


class MoveOutPolicy(Enum):
    """What a filed move-out (転出届) stops at terminals.

    Cities differ: some refuse the person, some every certificate of residence of the household.
    The standard's rule for counters, which print without the entry, is the last one (標準仕様書
    §5.1).
    """

    HOUSEHOLD = "household"  # the person everything; the household 住民票 and 記載事項証明書
    PERSON = "person"  # the person everything, the others nothing
    NOBODY = "nobody"  # nothing until the person has moved

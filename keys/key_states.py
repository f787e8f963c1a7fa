"""The life of a key (鍵の一生), in one table; ``docs/keys.md`` tells it in words.

What a state allows:

=========  ==========  ===========================  ========
state      signs,      its signatures and           secret
           seals       seals are accepted
=========  ==========  ===========================  ========
next       no          yes                          there
active     the newest  yes                          there
retiring   no          until its time, if it has    there
                       one
revoked    no          no                           there
destroyed  no          no                           gone
=========  ==========  ===========================  ========

Of two active keys the newer one signs, so a command that dies between making one and retiring the
other leaves nothing undecided.
"""

from enum import Enum

from protocol.state_table import Row, StateTable


class KeyState(Enum):
    """Where a key stands."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRING = "retiring"
    REVOKED = "revoked"
    DESTROYED = "destroyed"


class KeyAct(Enum):
    """What is done to a key."""

    ACTIVATE = "activate"
    RETIRE = "retire"
    REVOKE = "revoke"
    DESTROY = "destroy"


_S = KeyState
_A = KeyAct

KEY_TABLE: StateTable[KeyState, KeyAct] = StateTable(
    rows=[
        Row(_S.NEXT, _A.ACTIVATE, _S.ACTIVE, "signs with it", "accepts it as before"),
        Row(_S.NEXT, _A.REVOKE, _S.REVOKED, "forgets it", "is told without it"),
        Row(_S.ACTIVE, _A.RETIRE, _S.RETIRING, "only accepts it", "accepts it as before"),
        Row(_S.ACTIVE, _A.REVOKE, _S.REVOKED, "refuses it", "is told without it"),
        Row(_S.RETIRING, _A.REVOKE, _S.REVOKED, "refuses it", "is told without it"),
        Row(_S.RETIRING, _A.DESTROY, _S.DESTROYED, "keeps the public half", "is told without it"),
        Row(_S.REVOKED, _A.DESTROY, _S.DESTROYED, "keeps the public half", "is told without it"),
    ],
    ignored=[
        (_S.ACTIVE, _A.ACTIVATE),
        (_S.RETIRING, _A.RETIRE),
        (_S.REVOKED, _A.REVOKE),
        (_S.DESTROYED, _A.DESTROY),
    ],
    ends=[_S.DESTROYED],
)

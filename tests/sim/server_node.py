"""The issuance server as a process: the shipped runtime with all its loops, which dies and returns.

What lasts of it is its store. Each life opens that anew, folds it, and answers under line keys that
nobody but itself knows.
"""

from typing import Any, Protocol

from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.runtime.performer import CityHand, World
from issuance_server.runtime.runtime import Parts, Runtime
from issuance_server.sample.city import ISSUER
from protocol.errors import JournalFailed
from protocol.handshake_port import Peer, Role
from tests.core.made import RULES
from tests.sim import stand_ins
from tests.sim.checks.witness import Court
from tests.sim.city import CITY, City
from tests.sim.clocks import CityClock
from tests.sim.faults import Faults
from tests.sim.judge_node import JudgeNode
from tests.sim.loop import US_PER_MS, Node, SimLoop
from tests.sim.network import Network, Port
from tests.sim.plan import Plan
from tests.sim.renderer import SeededRenderer
from tests.sim.store_edge import StoreEdge

DIES_WITHIN_CALLBACKS = 400


class LastingStore(Protocol):
    """What lasts of the server; a life opens it, and loses what was not committed."""

    async def open(self) -> Any:
        """Return a ``ports.Store`` of what is durable."""
        ...

    def lose(self) -> None:
        """The life that opened it last is over."""
        ...


class ServerNode:
    """The server's process, through all its lives.

    Attributes:
        node: its present life; None while it is dead.
        runtime: of this life, once it runs.
        ready: whether it takes business.
        lives: how many there were.
        errors: what ended a life and was not drawn.
    """

    def __init__(
        self,
        loop: SimLoop,
        plan: Plan,
        *,
        city: City,
        store: LastingStore,
        clock: CityClock,
        network: Network,
        judge: JudgeNode,
        faults: Faults,
        court: Court,
    ) -> None:
        self.node: Node | None = None
        self.runtime: Runtime | None = None
        self.ready = False
        self.lives = 0
        self.errors: list[BaseException] = []
        self.last_store: Any = None
        self._loop = loop
        self._plan = plan
        self._city = city
        self._store = store
        self._clock = clock
        self._network = network
        self._judge = judge
        self._faults = faults
        self._court = court
        self._port: Port | None = None
        self.judge_client: JudgeClient | None = None

    def start(self) -> None:
        """Begin a life; a server that dies is started again after a while."""
        node = self.node = Node("server", self._died)
        self.lives += 1
        every_ms = self._faults.rates.server_kill_every_ms
        if every_ms:
            self._loop.outside_us(self._faults.gap_us(every_ms), self._kill_soon, node)
        self._judge.start()
        task = self._loop.spawn(node, self._live(node))
        task.add_done_callback(lambda _: node.kill())

    async def _live(self, node: Node) -> None:
        try:
            self._loop.threads_at_once = True  # opening takes no time that anybody could see
            try:
                store = await self._store.open()
            finally:
                self._loop.threads_at_once = False
            self.last_store = store
            self.runtime = Runtime(self._parts(store, node))
            self._watch_replies(self.runtime)
            self._court.restarted("server")
            await self.runtime.prepare()
            self.ready = True
            await self.runtime.run()
        except JournalFailed:
            return
        except Exception as error:  # noqa: BLE001  # a bug: it ends the world
            self.errors.append(error)

    def _parts(self, store: Any, node: Node) -> Parts:
        draw = self._faults.dice.randbytes
        self._port = Port(self._network, self._faults, None)
        child: Any = self._judge
        keys: Any = self._city.day_keys
        verdict_key = self._city.judge_keys.verdict.public_key
        self.judge_client = JudgeClient(child, verdict_keys=lambda: [verdict_key])
        edge: Any = StoreEdge(
            store, node=node, faults=self._faults, court=self._court, clock=self._clock
        )
        peer = Peer(name=CITY, line_id=b"", fingerprint=self._city.fingerprint)
        return Parts(
            rules=RULES,
            store=edge,
            gateway=self._port,
            handshakes=stand_ins.port(Role.SERVER, peer, draw),
            hand=CityHand(
                city=CITY, issuer=ISSUER, sign_binding=self._city.key.sign, day_keys=keys
            ),
            sign_checkpoint=self._city.key.sign,
            world=World(
                judge=self.judge_client,
                renderer=SeededRenderer(self._faults),
                clock=self._clock,
                entropy=stand_ins.DrawnEntropy(draw),
                log=self._log,
                gate=stand_ins.gate,
            ),
            heartbeat=True,
            intervals=self._plan.intervals,
        )

    def _log(self, event_name: str, /, **fields: object) -> None:
        self._court.log(event_name, fields)

    def _watch_replies(self, runtime: Runtime) -> None:
        """Let the court hear every answer on its way out."""
        reply = runtime.lines.reply

        def watched(terminal: str, ref: Any, telegram: Any) -> None:
            self._court.told(terminal, ref, telegram)
            reply(terminal, ref, telegram)

        runtime.lines.reply = watched  # type: ignore[method-assign]

    def _kill_soon(self, node: Node) -> None:
        if node.alive and node.dies_in is None:
            self._faults.note("server killed")
            node.dies_in = int(self._faults.dice.random() * DIES_WITHIN_CALLBACKS)

    def _died(self, node: Node) -> None:
        if self.node is not node:
            return
        self.node = self.runtime = None
        self.ready = False
        if self._port is not None:
            self._port.detach()
        self._store.lose()
        self._judge.end()
        wait_ms = 50 + int(self._faults.dice.random() * self._plan.down_ms_max)
        self._loop.outside_us(wait_ms * US_PER_MS, self._again)

    def _again(self) -> None:
        if self.node is None:
            self.start()

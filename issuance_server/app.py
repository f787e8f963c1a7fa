"""The composition root: from a configuration to a running city, and its orderly end."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from issuance_server import manifest
from issuance_server.adapters.broker_process import BrokerProcess
from issuance_server.adapters.control_socket import serve_control
from issuance_server.adapters.file_lock import only_one
from issuance_server.adapters.pin_judge.client import JudgeClient
from issuance_server.adapters.renderer.pool import RendererPool
from issuance_server.adapters.sqlite.queries import Queries
from issuance_server.adapters.sqlite.store import SqliteStore
from issuance_server.adapters.system import SystemClock, SystemEntropy, business_start_ms
from issuance_server.city import City, software
from issuance_server.control.desk import ControlDesk
from issuance_server.control.wire import Live
from issuance_server.observe.logging import log
from issuance_server.runtime.performer import CityHand, World
from issuance_server.runtime.recording import Recording
from issuance_server.runtime.runtime import Parts, Runtime
from issuance_server.trace_files import begin_recording
from keys.line_tls import LineTls
from protocol.errors import JournalFailed, SetUpError
from protocol.handshake_port import Role
from protocol.shells.mqtt import BrokerAddress, MqttGateway
from protocol.topics import city_subscription

INCOMING_MAX = 8_192
CARDS_COMPARED = 20
"""Of the city's cards, so many are looked for in the PIN judge's store at the start."""
BROKER_RESTART_MS = 200
EXIT_DONE = 0
EXIT_FAILED = 1


async def serve(
    city: City,
    *,
    clock_start: str | None = None,
    traces: tuple[Path | None, Path | None] = (None, None),
) -> int:
    """Run a city until it is told to stop (SIGINT or SIGTERM), or cannot go on.

    Args:
        city: the city.
        clock_start: start of the business clock; None for what the configuration says.
        traces: files in which telegrams and the core's steps are recorded; None: they are not.

    Returns:
        The exit status: 0 after an orderly stop, 1 when the journal failed.

    Raises:
        NotAsDeclared: this is another node than was declared.
        SetUpError: something is not as needed; the text names the way out.
        AdapterError: a child process could not start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    clock = SystemClock(business_start_ms(clock_start or city.config.clock.business))
    stopping = asyncio.create_task(stop.wait())
    with contextlib.closing(_recording(city, clock, traces)) as recording:
        return await _serve(city, clock, stopping, recording)


def _recording(city: City, clock: SystemClock, files: tuple[Path | None, Path | None]) -> Recording:
    return begin_recording(
        city.config.rules(software()),
        city.config.trace.bounds(),
        files,
        clock=lambda: clock.now().real_ms,
        log=log,
    )


async def _serve(
    city: City, clock: SystemClock, stopping: "asyncio.Task[bool]", recording: Recording
) -> int:
    async with _running(city, clock, stopping, recording) as (runtime, running):
        if not stopping.done():
            log(
                "server.started",
                version=software(),
                municipality=city.config.city.code,
                process=os.getpid(),
                terminals=runtime.terminal_count,
            )
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if running.done():
            return _failure(running)
        log("server.stopping", reason="asked", open_issuances=len(runtime.state.issuances))
        drained = asyncio.create_task(runtime.drain(city.config.shutdown.drain_seconds_max * 1_000))
        await asyncio.wait({running, drained}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            drained.cancel()
            return _failure(running)
        await runtime.sign_tree()
    log("server.stopped", exit_status=EXIT_DONE)
    return EXIT_DONE


@asynccontextmanager
async def _running(
    city: City, clock: SystemClock, stopping: "asyncio.Task[bool]", recording: Recording
) -> AsyncIterator[tuple[Runtime, "asyncio.Task[None]"]]:
    """Start everything in order; stop it in the opposite order, whatever happens.

    A broker that is out of reach is waited for, unless the server is told to stop meanwhile.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(only_one(city.paths.database))
        store = await SqliteStore.open(city.paths.database)
        stack.push_async_callback(store.close)
        await _check_manifest(city, store)
        judge = city.judge()
        stack.push_async_callback(judge.stop)
        renderer = RendererPool(
            workers=city.config.rendering.workers,
            fonts=city.paths.fonts,
            keys=city.paths.key_folder,
            backs=city.config.city.backs,
            on_restart=lambda exit_status: log("renderer.restarted", exit_status=exit_status),
            build=manifest.check_of(manifest.Child.RENDERER, city.config.node.manifest),
        )
        stack.push_async_callback(renderer.stop)
        broker = city.config.broker
        starts = [judge.start(), renderer.start()]
        if broker.embedded:
            starts.append(_start_broker(BrokerProcess(host=broker.host, port=broker.port), stack))
        await _all(starts)
        await _same_cards(store, judge, city)
        gateway = MqttGateway(
            broker=BrokerAddress(host=broker.host, port=broker.port),
            client_id=f"kofu-{city.config.city.code}",
            subscriptions=[city_subscription(city.config.city.code)],
            incoming_max=INCOMING_MAX,
            on_event=recording.carrier_event if recording.goes_on else log,
        )
        stack.push_async_callback(gateway.close)
        world = World(judge=judge, renderer=renderer, clock=clock, entropy=SystemEntropy(), log=log)
        runtime = Runtime(replace(_parts(city, store, gateway, world), recording=recording))
        await runtime.prepare()
        desk = ControlDesk(
            queries=Queries(city.paths.database),
            judge=judge,
            believed=city.believed(),
            record=runtime.record_act,
            clock=clock,
            log=log,
        )
        desk.live = lambda: _live(runtime)
        await stack.enter_async_context(serve_control(city.paths.control_socket, desk.handle))
        running = asyncio.create_task(runtime.run())
        stack.push_async_callback(_cancel, running)
        connected = asyncio.create_task(gateway.connected.wait())
        await asyncio.wait({running, connected, stopping}, return_when=asyncio.FIRST_COMPLETED)
        connected.cancel()
        yield runtime, running


async def _check_manifest(city: City, store: SqliteStore) -> None:
    """Refuse to take up business as another node than was declared.

    Raises:
        NotAsDeclared: it differs, and the configuration does not tolerate that.
    """
    found = manifest.manifest_of(city.config, await store.tables(), software())
    manifest.check(await store.declared_manifest(), found, city.config.node.manifest)


def _live(runtime: Runtime) -> Live:
    """Return what commands may ask a running server about itself."""
    return Live(
        draining=runtime.state.draining,
        evidence_lost=runtime.evidence_lost,
        open_issuances=len(runtime.state.issuances),
    )


def _parts(city: City, store: SqliteStore, gateway: MqttGateway, world: World) -> Parts:
    return Parts(
        rules=city.config.rules(software()),
        store=store,
        gateway=gateway,
        handshakes=LineTls(Role.SERVER, city.keys.line, city.keys.trust.authority_certificate),
        hand=CityHand(
            city=city.config.city.code,
            issuer=city.config.issuer(),
            sign_binding=city.keys.binding.sign,
            day_keys=city.keys.day_keys,
            tax_year_days=city.config.eligibility.tax_year_days,
        ),
        sign_checkpoint=city.keys.checkpoint.sign,
        world=world,
        heartbeat=city.config.register.heartbeat,
        notices=city.notice_sender(),
        log_is_written=log.is_written,
    )


async def _same_cards(store: SqliteStore, judge: JudgeClient, city: City) -> None:
    """Do not serve with a PIN judge whose store was lost: it would refuse every card, silently."""
    cards = await store.some_cards(CARDS_COMPARED)
    for card in cards:
        if await judge.card_known(card):
            return
    if cards:
        raise SetUpError(
            f"the PIN judge knows none of the city's cards: {city.paths.pin_judge} was lost or"
            " emptied; put it back: issuance-server restore"
        )


async def _all(starts: list[Coroutine[None, None, None]]) -> None:
    """Start children at the same time; the first failure is the one that is told."""
    outcomes = await asyncio.gather(*starts, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _start_broker(embedded: BrokerProcess, stack: AsyncExitStack) -> None:
    """Start the embedded broker and start it again whenever it dies; terminals come back."""
    await embedded.start()
    stack.push_async_callback(embedded.stop)

    async def keep() -> None:
        while True:
            await embedded.wait()
            await embedded.stop()
            await _started_again(embedded)

    stack.push_async_callback(_cancel, asyncio.create_task(keep()))


async def _started_again(embedded: BrokerProcess) -> None:
    """Start the broker as soon as its port is free again."""
    while True:
        await asyncio.sleep(BROKER_RESTART_MS / 1_000)
        with contextlib.suppress(SetUpError):
            await embedded.start()
            return


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, JournalFailed):
        await task


def _failure(running: "asyncio.Task[None]") -> int:
    """Say why the loops ended; a bug goes on up, the journal's failure is an exit status."""
    error = running.exception()
    if isinstance(error, JournalFailed):
        log("journal.failed", reason=str(error))
        log("server.stopped", exit_status=EXIT_FAILED)
        return EXIT_FAILED
    if error is not None:
        raise error
    return EXIT_DONE

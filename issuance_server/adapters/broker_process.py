"""Starts and stops the embedded broker as a child process, from the side of its parent.

Apart from ``embedded_broker`` so that the parent does not load the broker's libraries.
"""

import asyncio
import sys

from issuance_server.adapters.process_end import exit_status_of
from protocol.errors import AdapterError, Misuse, SetUpError

START_WAIT_MS_MAX = 20_000
STOP_WAIT_MS_MAX = 5_000


class BrokerProcess:
    """One embedded broker. It ends with its parent, whatever happens to the parent.

    Attributes:
        host: loopback address to listen on.
        port: TCP port; 0 until ``start`` when the system is to pick one.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.host = host
        self.port = port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the broker and wait until it listens; ``port`` is then the real one.

        Raises:
            SetUpError: it could not listen; it has told why on standard error.
        """
        if self._process is not None:
            raise Misuse("the broker runs already")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "issuance_server.adapters.embedded_broker"),
            *("--host", self.host, "--port", str(self.port)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent, which stops us in its own time
        )
        try:
            self.port = await self._ready_port(self._process)
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Wait until the broker has ended, and return its exit status."""
        if self._process is None:
            raise Misuse("the broker does not run")
        return await self._process.wait()

    async def stop(self) -> None:
        """Stop the broker and wait for its end. Does nothing when it does not run.

        It is killed when it takes longer than ``STOP_WAIT_MS_MAX``. It stays ours until it is
        gone: whoever is cancelled here may stop it again.
        """
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        await exit_status_of(process, STOP_WAIT_MS_MAX)
        if self._process is process:
            self._process = None

    async def _ready_port(self, process: asyncio.subprocess.Process) -> int:
        if process.stdout is None:
            raise AdapterError("the broker's standard output is not connected")
        try:
            async with asyncio.timeout(START_WAIT_MS_MAX / 1000):
                line = await process.stdout.readline()
        except TimeoutError:
            raise SetUpError(
                f"the embedded broker was not ready within {START_WAIT_MS_MAX // 1000} s: "
                "start again when the machine is less busy, or give a broker of your own"
            ) from None
        word, _, port = line.decode().strip().partition(f" {self.host} ")
        if word != "ready":
            raise SetUpError(
                f"the embedded broker did not start on {self.host}:{self.port}: "
                "the reason is above; choose another port, or give a broker of your own"
            )
        return int(port)

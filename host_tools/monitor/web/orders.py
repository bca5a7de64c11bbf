"""What the server asks boards: what pages order, and on its own account what boards do not say unasked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine

from host_tools import time_limits
from host_tools.errors import HostToolError, LinkError
from host_tools.monitor.feed import Feed
from host_tools.monitor.web import messages
from host_tools.monitor.web.board_state import BoardState
from host_tools.monitor.web.messages import Order

# How a board is (paused, trying again) is in STATS, which comes unasked every ten seconds only.
_STATS_SECONDS = 2.0
_GREET_AGAIN_SECONDS = 3.0
# "At most every so often": on a line of 115200 baud a picture takes longer than this, so the line decides.
PREVIEW_MS = 250


class Orders:
    """Carries out orders of tabs. A board sends previews as long as any tab wants them; clients are only compared."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._watchers: dict[int, set[object]] = {}
        self._quality = messages.PREVIEW_QUALITY.low
        self._greet_due: dict[int, float] = {}
        self._stats_due: dict[int, float] = {}
        self._asking: set[int] = set()
        self._background: set[asyncio.Task] = set()
        self._known: dict[str, Callable[[object, BoardState, Order], Awaitable[None]]] = {
            "poses": self._set_poses,
            "zoom": self._set_zoom,
            "mode": self._set_mode,
            "save": self._save,
            "pause": self._pause,
            "resume": self._resume,
            "preview": self._set_preview,
        }

    async def carry_out(self, client: object, board: BoardState, order: Order) -> None:
        """Do what a tab orders of one board; LinkError says why it cannot be."""
        await self._known[order.do](client, board, order)

    async def _set_poses(self, client: object, board: BoardState, order: Order) -> None:
        await self._ask(board, "POSES", *(order.values[name] for name in messages.POSES))

    async def _set_zoom(self, client: object, board: BoardState, order: Order) -> None:
        await self._ask(board, "ZOOM", *(order.values[name] for name in messages.ZOOM))

    async def _set_mode(self, client: object, board: BoardState, order: Order) -> None:
        await self._ask(board, "MODE", order.values["mode"])

    async def _save(self, client: object, board: BoardState, order: Order) -> None:
        await self._ask(board, "SAVE")

    async def _pause(self, client: object, board: BoardState, order: Order) -> None:
        await self._ask(board, "PAUSE")
        await self._ask(board, "STATS")

    async def _resume(self, client: object, board: BoardState, order: Order) -> None:
        await self._ask(board, "RESUME")
        await self._ask(board, "STATS")

    async def _set_preview(self, client: object, board: BoardState, order: Order) -> None:
        watchers = self._watchers.setdefault(board.number, set())
        if not order.values["on"]:
            watchers.discard(client)
            await self._end_preview(board)
            return
        watchers.add(client)
        self._quality = order.values["quality"]
        try:
            await self._ask(board, "PREVIEW", PREVIEW_MS, self._quality)
        except LinkError:
            watchers.discard(client)
            raise

    async def _end_preview(self, board: BoardState) -> None:
        if not self._watchers.get(board.number):
            await self._ask(board, "PREVIEW", 0)

    async def _ask(self, board: BoardState, kind: str, *fields: int | None) -> int:
        """The value that a board answers; LinkError if it refuses or is silent."""
        if not board.reachable:
            raise LinkError(f"{board.label} is not there to be asked")
        reply = asyncio.wrap_future(self._feed.ask(board.label, kind, *fields))
        done, _ = await asyncio.wait({reply}, timeout=time_limits.WEB_ANSWER.seconds)
        if not done:
            reply.cancel()
            raise LinkError(f"{board.label} has not answered {kind} within {time_limits.WEB_ANSWER.seconds:.0f} s")
        if reply.cancelled():
            raise LinkError(f"{board.label} went before it could answer {kind}")
        return reply.result()

    def ask_if_due(self, board: BoardState) -> None:
        """Ask for settings when a board has come, for its state now and then; one question at a time for each board."""
        now = time.monotonic()
        due = self._greet_due if board.greeting_due else self._stats_due
        if board.number in self._asking or not board.reachable or now < due.get(board.number, 0):
            return
        due[board.number] = now + (_GREET_AGAIN_SECONDS if board.greeting_due else _STATS_SECONDS)
        self._asking.add(board.number)
        question = self._start(self._greet(board) if board.greeting_due else self._ask(board, "STATS"))
        question.add_done_callback(lambda _: self._asking.discard(board.number))

    async def _greet(self, board: BoardState) -> None:
        """A board that has started again has forgotten the previews."""
        preview = bool(self._watchers.get(board.number))
        await self._ask(board, "SETTINGS")
        await self._ask(board, "STATS")
        if preview:
            await self._ask(board, "PREVIEW", PREVIEW_MS, self._quality)
        board.greeting_due = False
        self._greet_due.pop(board.number, None)

    def forget(self, client: object, boards: dict[int, BoardState]) -> None:
        """A tab has closed: previews that nobody else looks at end."""
        for number, watchers in self._watchers.items():
            if client in watchers:
                watchers.discard(client)
                self._start(self._end_preview(boards[number]))

    def forget_previews(self, number: int) -> None:
        """A board has ended its previews: it is not asked for them again."""
        self._watchers.pop(number, None)

    def _start(self, question: Coroutine[None, None, object]) -> asyncio.Task:
        """Ask in the background; that a board does not answer is seen by its silence."""

        async def asking() -> None:
            try:
                await question
            except HostToolError:
                return

        task = asyncio.create_task(asking())
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def close(self) -> None:
        """Wait for what was begun, the ends of previews above all."""
        if self._background:
            await asyncio.wait(self._background)

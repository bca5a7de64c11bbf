"""SPI controllers 0, 1 and 3 (SDK: spi.h, DesignWare SSI): frames by register or DMA, on one to eight lines.

A transfer's bytes are exchanged with the part at once; the guest sees them at the pace of the line's clock.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np

from host_tools.k210.blocks.addresses import Function
from host_tools.k210.blocks.dmac import Channel
from host_tools.k210.blocks.registers import Chip, Registers
from host_tools.k210.engine import native
from host_tools.k210.engine.hart import Hart

_CTRLR0, _CTRLR1, _ENABLE, _SELECT, _DIVIDER = 0x00, 0x04, 0x08, 0x10, 0x14
_TX_LEVEL, _RX_LEVEL, _STATUS, _DMA, _ID, _VERSION = 0x20, 0x24, 0x28, 0x4C, 0x58, 0x5C
_DATA, _DATA_END, _ENHANCED = 0x60, 0xF0, 0xF4
_BUSY, _TX_ROOM, _TX_EMPTY, _RX_THERE = 1, 2, 4, 8
_FIFO = 32
# Frames that may be written before they are sent: in the enhanced formats the guest writes a whole page at once.
_MOST_WAITING = 1 << 16
_RX_DMA = 1
# Transfer modes: both ways, send, receive, a command and then receive.
_BOTH, _SEND, _RECEIVE, _COMMAND = range(4)
# Places in ctrlr0 of transfer mode, bits of a frame less one, number of lines (as a power of two): SPI3 differs.
_PLACES, _PLACES_SPI3 = (8, 16, 21), (10, 0, 22)
_FLASH_CONTROLLER = 3
_SCLK = {0: Function.SPI0_SCLK, 1: Function.SPI1_SCLK}


class Part(Protocol):
    """Something on an SPI bus."""

    def selected(self, controller: Spi) -> bool:
        """Whether it listens to this controller now."""

    def transfer(self, data: bytes, wanted: int) -> bytes:
        """Take what is sent and give `wanted` bytes."""


class Spi(Registers):
    """One controller; `parts` are what its lines may lead to."""

    def __init__(self, chip: Chip, number: int) -> None:
        super().__init__(chip, f"spi{number}", {_ID: 0xFFFF_FFFF, _VERSION: 0x3430_312A})
        self.number = number
        self.parts: list[Part] = []
        self._tx: list[int] = []
        self._rx: deque[int] = deque()
        self._channels: list[Channel] = []
        self._busy_until, self._frame_cycles = 0, 1
        self._idle: native.IdleSpiState | None = None

    def reset(self) -> None:
        super().reset()
        self._tx.clear()
        self._rx.clear()
        self._channels.clear()
        self._busy_until = 0
        if self._idle:
            self._idle.registers[:] = [0] * len(self._idle.registers)
            self._idle.waiting = self._idle.sent = 0
            self.clock_changed()

    def __getstate__(self) -> dict:
        idle = bytes(self._idle) if self._idle else None
        return {**self.__dict__, "_idle": idle}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        if state["_idle"] is not None:
            self._idle = native.IdleSpiState.from_buffer_copy(state["_idle"])

    @property
    def clock_function(self) -> int | None:
        """The pin function of its clock; None for the one that leads to the flash chip."""
        return _SCLK.get(self.number)

    def clock_changed(self) -> None:
        """sysctl has changed a clock: what C answers has to know."""
        if self._idle:
            sysctl = self.chip.sysctl
            self._idle.cpu_hertz, self._idle.spi_hertz = sysctl.cpu_hertz, max(1, sysctl.spi_hertz(self.number))

    # --- how the registers are set -------------------------------------------------------------------------------

    def _field(self, which: int, mask: int) -> int:
        places = _PLACES_SPI3 if self.number == _FLASH_CONTROLLER else _PLACES
        return self._registers0() >> places[which] & mask

    def _registers0(self) -> int:
        return self._idle.registers[0] if self._idle else self.values.get(_CTRLR0, 0)

    @property
    def _mode(self) -> int:
        return self._field(0, 3)

    @property
    def _bits(self) -> int:
        return self._field(1, 31) + 1

    @property
    def _lines(self) -> int:
        return self._field(2, 3)

    @property
    def _frame_bytes(self) -> int:
        return 1 if self._bits <= 8 else 2 if self._bits <= 16 else 4

    @property
    def _active(self) -> bool:
        return bool(self.values.get(_ENABLE, 0) & 1 and self.values.get(_SELECT, 0))

    def _cycles(self, frames: int) -> int:
        """CPU cycles that frames take on the line."""
        divider = max(2, (self._idle.registers[_DIVIDER // 4] if self._idle else self.values.get(_DIVIDER, 0)) & 0xFFFE)
        clocks = max(1, frames * self._bits >> self._lines) * divider
        sysctl = self.chip.sysctl
        return max(1, clocks * sysctl.cpu_hertz // max(1, sysctl.spi_hertz(self.number)))

    # --- DMA -----------------------------------------------------------------------------------------------------

    def dma_ready(self, channel: Channel) -> None:
        """A DMA channel waits for this controller."""
        if self._idle:
            if channel.to_memory:
                channel.give(b"\xff" * (channel.items * channel.target_width))
            channel.finish_after(self._cycles(channel.items))
            return
        if channel not in self._channels:
            self._channels.append(channel)
        self._pump()

    def _channel(self, to_memory: bool) -> Channel | None:
        self._channels = [channel for channel in self._channels if channel.enabled and not channel.ends]
        return next((channel for channel in self._channels if channel.to_memory == to_memory), None)

    # --- transfers -----------------------------------------------------------------------------------------------

    def _on_line(self, words: np.ndarray) -> bytes:
        """Frames as they go over the line, highest byte first; words is uint32."""
        return words.astype(f">u{self._frame_bytes}").tobytes()

    def _header(self, words: np.ndarray) -> tuple[bytes, np.ndarray]:
        """In the enhanced formats the first words are instruction and address, of lengths of their own."""
        control = self.values.get(_ENHANCED, 0)
        sizes = (0, 1, 1, 2)[control >> 8 & 3], (control >> 2 & 15) * 4 // 8
        head = b""
        for size in sizes:
            if size and len(words):
                head += int(words[0]).to_bytes(8, "big")[-size:]
                words = words[1:]
        return head, words

    def _take_tx(self) -> np.ndarray:
        """All that is there to send, by register and by DMA; uint32."""
        words = np.array(self._tx, np.uint32)
        self._tx.clear()
        channel = self._channel(to_memory=False)
        if channel:
            data = np.frombuffer(channel.take(), f"<u{channel.source_width}").astype(np.uint32)
            words = np.concatenate([words, data])
        return words

    def _exchange(self, data: bytes, wanted: int) -> bytes:
        """Let the part that is selected have the bytes. It may let time pass: what ends now is not yet an event."""
        part = next((part for part in self.parts if part.selected(self)), None)
        answer = part.transfer(data, wanted) if part else b"\xff" * wanted
        channel = self._channel(to_memory=False)
        if channel:
            channel.finish_after(self._cycles(channel.items))
        return answer

    def _pump(self) -> None:
        """Do the transfer that the registers describe, if everything for it is there."""
        if not self._active:
            return
        mode, enhanced = self._mode, self._lines != 0
        if mode in (_SEND, _BOTH):
            words = self._take_tx()
            if len(words):
                self._send(words, enhanced and mode == _SEND, mode == _BOTH)
            return
        if self.values.get(_DMA, 0) & _RX_DMA and not self._channel(to_memory=True):
            return
        if mode == _COMMAND and not self._tx and not self._channel(to_memory=False):
            return
        words = self._take_tx()
        if mode == _RECEIVE and not enhanced:
            words = words[:0]
        head, words = self._header(words) if enhanced else (b"", words)
        frames = (self.values.get(_CTRLR1, 0) & 0xFFFF) + 1
        answer = self._exchange(head + self._on_line(words), frames * self._frame_bytes)
        self._take_time(len(words) + len(head) + frames)
        self._received(answer)

    def _send(self, words: np.ndarray, enhanced: bool, both: bool) -> None:
        frames = len(words)
        head, words = self._header(words) if enhanced else (b"", words)
        data = head + self._on_line(words)
        answer = self._exchange(data, len(data) if both else 0)
        self._take_time(frames)
        if both:
            self._received(answer)

    def _take_time(self, frames: int) -> None:
        now = self.chip.clock.cycles
        self._frame_cycles = self._cycles(1)
        self._busy_until = max(self._busy_until, now) + self._cycles(frames)

    def _received(self, data: bytes) -> None:
        words = np.frombuffer(data, f">u{self._frame_bytes}")
        channel = self._channel(to_memory=True)
        if channel:
            channel.give(words[: channel.items].astype(f"<u{channel.target_width}").tobytes())
            channel.finish_after(self._cycles(channel.items))
        else:
            self._rx.extend(words.tolist())

    def _arrived(self) -> int:
        """Frames that the guest can read by now; while it waits for some, time passes until a FIFO is full."""
        clock = self.chip.clock
        left = self._busy_until - clock.cycles
        if left > 0 and len(self._rx):
            missing = max(0, len(self._rx) - _FIFO)
            clock.wait(self._busy_until - missing * self._frame_cycles)
            left = self._busy_until - clock.cycles
        outstanding = -(-max(0, left) // self._frame_cycles)
        return max(0, min(len(self._rx) - outstanding, _FIFO))

    # --- registers -----------------------------------------------------------------------------------------------

    def get(self, offset: int) -> int:
        if offset == _TX_LEVEL:
            return 0
        if offset == _RX_LEVEL:
            return self._arrived()
        if offset == _STATUS:
            self.chip.clock.wait(self._busy_until)
            busy = _BUSY if self.chip.clock.cycles < self._busy_until else 0
            return busy | _TX_ROOM | (0 if busy else _TX_EMPTY) | (_RX_THERE if self._arrived() else 0)
        if _DATA <= offset < _DATA_END:
            return self._rx.popleft() if self._rx else 0
        return super().get(offset)

    def set(self, offset: int, value: int) -> None:
        if _DATA <= offset < _DATA_END:
            if len(self._tx) < _MOST_WAITING:
                self._tx.append(value)
            if self._active and self._mode in (_BOTH, _SEND) and self._lines == 0:
                self._pump()
            return
        if offset in (_ENABLE, _SELECT) and not value and self._mode == _SEND and self._tx:
            self._pump()
        super().set(offset, value)
        if offset == _ENABLE and not value & 1:
            self._tx.clear()
            self._rx.clear()
        if offset in (_ENABLE, _SELECT) and value:
            self._pump()

    # --- a bus with nothing on it --------------------------------------------------------------------------------

    def map_native(self, hart: Hart, base: int, size: int) -> bool:
        """Let C answer while nothing is on the bus: the firmware probes an empty SD slot with millions of accesses."""
        map_idle = getattr(hart.counter, "map_idle_spi", None)
        if self.parts or map_idle is None:
            return False
        if self._idle is None:
            self._idle = native.IdleSpiState()
            self.clock_changed()
        map_idle(hart.uc, base, size, self._idle)
        return True

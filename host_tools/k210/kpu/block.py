"""The KPU's registers (SDK: kpu.h): layers come as twelve words through a FIFO, results go to its RAM or a DMA channel.

What silicon does without a word is noted: a result over its own source, maps beyond the RAM, weights that the loads do
not cover. Those notes name the layer by its number since power-on.
"""

from __future__ import annotations

import struct
from collections import deque

import numpy as np

from host_tools.k210.blocks.addresses import Irq
from host_tools.k210.blocks.dmac import Channel
from host_tools.k210.blocks.registers import Chip
from host_tools.k210.kpu import sums
from host_tools.k210.kpu.ram import Place
from host_tools.k210.kpu.sums import Registers

_ARGUMENT, _STATUS, _RAW, _MASK, _CLEAR = 0x00, 0x08, 0x10, 0x18, 0x20
_THRESHOLD, _OUTPUT, _CONTROL, _EIGHT_BIT = 0x28, 0x30, 0x38, 0x40
_DONE, _ALMOST_EMPTY, _ALMOST_FULL = 1, 2, 4
_ALL = 7
# Bits of the FIFO control that hold a FIFO empty while they are 0: results, layers.
_OUTPUT_RUNS, _LAYERS_RUN = 1, 4
_INITIAL_CONTROL = 0x1F
_WORD_BYTES = 8
# Layers that wait; the register counts no more.
_MOST_WAITING = 16
# What follows a result whose size is no multiple of 8: undefined on silicon, this here.
_FILLER = b"\xa5"
_NOT_MODELLED = ("full_add", "ram_flag", "bypass_conv", "first_stride", "pad_type")


class Kpu:
    """The register block. `time_model` gives a layer's cycles; layers are counted since power-on."""

    def __init__(self, chip: Chip, time_model: sums.TimeModel = sums.cycles) -> None:
        self._chip, self._time_model = chip, time_model
        self.layers = 0
        # Microseconds that the KPU was busy, since power-on.
        self.busy_microseconds = 0.0
        self.reset()

    def reset(self) -> None:
        """What a reset of the chip does; RAM and counts stay."""
        self._chip.clock.cancel(self._finish)
        self._raw, self._mask, self._threshold = 0, _ALL, 0
        self._control, self._eight_bit = _INITIAL_CONTROL, 0
        self._low = self._latch = 0
        self._words: list[int] = []
        self._queue: deque[tuple[int, ...]] = deque()
        self._busy = False
        self._output = bytearray()
        self._weights = self._norm = self._table = b""
        self._channels: list[Channel] = []

    # --- registers -----------------------------------------------------------------------------------------------

    def read(self, offset: int, width: int) -> int:
        """A register, or the half, quarter or byte of one."""
        register, shift = offset & ~7, 8 * (offset & 7)
        if register == _OUTPUT:
            if not shift:
                self._latch = int.from_bytes(self._take(_WORD_BYTES).ljust(_WORD_BYTES, b"\0"), "little")
            value = self._latch
        else:
            value = {
                _STATUS: self._raw & ~self._mask, _RAW: self._raw, _MASK: self._mask,
                _THRESHOLD: self._threshold, _CONTROL: self._control, _EIGHT_BIT: self._eight_bit,
            }.get(register, 0)  # fmt: skip
        return value >> shift & (1 << 8 * width) - 1

    def write(self, offset: int, width: int, value: int) -> None:
        """A register; an argument counts once its upper half is there."""
        register, shift = offset & ~7, 8 * (offset & 7)
        mask = ((1 << 8 * width) - 1) << shift
        value = value << shift & mask
        if register == _ARGUMENT:
            self._low = value if not shift else self._low | value
            if shift + 8 * width == 64:
                self._push(self._low)
        elif register == _MASK:
            self._mask = (self._mask & ~mask | value) & _ALL
        elif register == _CLEAR:
            self._raw &= ~value
        elif register == _THRESHOLD:
            self._threshold = (self._threshold & ~mask | value) & 0xFF
        elif register == _CONTROL:
            self._set_control((self._control & ~mask | value) & _INITIAL_CONTROL)
        elif register == _EIGHT_BIT:
            self._eight_bit = (self._eight_bit & ~mask | value) & 1
        self._signal()

    def _set_control(self, value: int) -> None:
        self._control = value
        if not value & _LAYERS_RUN:
            self._words.clear()
            self._queue.clear()
        if not value & _OUTPUT_RUNS:
            self._output.clear()

    def _signal(self) -> None:
        self._chip.interrupt(Irq.KPU, bool(self._raw & ~self._mask & _ALL))

    # --- layers --------------------------------------------------------------------------------------------------

    def _push(self, word: int) -> None:
        self._words.append(word)
        if len(self._words) < sums.WORDS:
            return
        words, self._words = tuple(self._words), []
        if len(self._queue) >= _MOST_WAITING:
            self._chip.note("the KPU was given a layer while its queue was full: the layer is lost")
            return
        self._queue.append(words)
        if len(self._queue) >= max(1, self._threshold & 15):
            self._raw |= _ALMOST_FULL
            self._signal()
        self._start()

    def _start(self) -> None:
        if self._busy or not self._queue:
            return
        self._busy = True
        words = self._queue.popleft()
        # "Almost empty" is an event of a layer's leaving the queue: the driver unmasks it and expects nothing before.
        if len(self._queue) <= self._threshold >> 4:
            self._raw |= _ALMOST_EMPTY
            self._signal()
        registers = _registers(words)
        self._run(registers)
        cycles, hertz = self._time_model(registers), self._chip.sysctl.kpu_hertz
        self.busy_microseconds += cycles * 1e6 / hertz
        self._chip.clock.after(int(cycles * self._chip.clock.hertz / hertz), self._finish, registers.int_en)
        self.layers += 1

    def _finish(self, interrupts: int) -> None:
        self._busy = False
        if interrupts:
            self._raw |= _DONE
            self._signal()
        self._deliver()
        self._start()

    def _note(self, text: str) -> None:
        self._chip.note(f"KPU layer {self.layers}: {text}")

    def _run(self, registers: Registers) -> None:
        """Fetch what a layer needs, compute it, and put its result where it belongs."""
        self._load(registers)
        source, target = _places(registers)
        self._check(registers, source, target)
        planes = source.read(self._chip.memory.kpu_ram)
        result = self._computed(registers, planes)
        if result is None:
            result = np.zeros((target.channels, target.height, target.width), np.uint8)
        target.write(self._chip.memory.kpu_ram, result)
        if registers.send_data_out:
            self._send(registers, result)

    def _computed(self, registers: Registers, planes: np.ndarray) -> np.ndarray | None:
        missing = [name for name in _NOT_MODELLED if getattr(registers, name)]
        if missing or not self._eight_bit:
            what = f"register {missing[0]}" if missing else "16-bit weights"
            self._chip.unmodelled("kpu", what)
            return None
        try:
            return sums.compute(registers, self._weights, self._norm, self._table, planes)
        except (sums.ConversionError, ValueError, KeyError) as error:
            self._note(f"its result is not defined, zeros are written ({error})")
            return None

    def _load(self, registers: Registers) -> None:
        """Fetch weights, batch norm and activation table; each stays until a layer loads another."""
        kernel = sums.KERNELS.get(registers.kernel_type, 1)
        taps = kernel**2 * (1 if registers.depth_wise_layer else registers.i_ch_num)
        channels = registers.o_ch_num
        if registers.load_coor:
            item = 1 if self._eight_bit else 2
            loaded = min(registers.load_time * registers.para_size, channels * taps * item)
            if registers.o_ch_num_coef * taps * item != registers.para_size:
                self._note(
                    f"loads of {registers.para_size} bytes for {registers.o_ch_num_coef} channels of {taps} weights"
                )
            if (
                not (registers.load_time - 1) * registers.o_ch_num_coef
                < channels
                <= (registers.load_time * registers.o_ch_num_coef)
            ):
                self._note(f"{registers.load_time} loads of {registers.o_ch_num_coef} channels for {channels} channels")
            self._weights = self._fetch(registers.para_start_addr, loaded)
        if registers.load_para:
            self._norm = self._fetch(registers.bwsx_base_addr, sums.BATCH_NORM_BYTES * channels)
        if registers.load_act:
            self._table = self._fetch(registers.active_addr, sums.ACTIVATION_BYTES)

    def _fetch(self, address: int, size: int) -> bytes:
        if address & 7:
            self._note(f"loads from {address:#x}, which is no multiple of 8")
        if size and self._chip.memory.offset(address, size) < 0:
            self._note(f"loads {size} bytes from {address:#x}, beyond memory")
            return bytes(size)
        return self._chip.memory.load(address, size) if size else b""

    def _check(self, registers: Registers, source: Place, target: Place) -> None:
        for place, what in ((source, "source"), (target, "result")):
            if not place.sound:
                self._note(f"rows or channels of its {what} lie over each other: {place}")
            if place.end > sums.RAM_BYTES:
                self._note(f"its {what} ends at byte {place.end:#x}, beyond the KPU's RAM")
        if max(source.start, target.start) < min(source.end, target.end):
            self._note(
                f"writes lines from {target.line} on over its own source, which lies from line {source.line} on; "
                "silicon may read what it has just written"
            )
        if registers.send_data_out and registers.dma_total_byte != target.channels * target.height * target.width:
            self._note(f"sends {registers.dma_total_byte} bytes of {target.channels}x{target.height}x{target.width}")

    # --- results by DMA ------------------------------------------------------------------------------------------

    def _send(self, registers: Registers, result: np.ndarray) -> None:
        size = min(registers.dma_total_byte, sums.RAM_BYTES)
        data = result.tobytes()[:size].ljust(size, _FILLER)
        self._output += data + _FILLER * (-size % _WORD_BYTES)

    def _take(self, count: int) -> bytes:
        data = bytes(self._output[:count])
        del self._output[:count]
        return data

    def dma_ready(self, channel: Channel) -> None:
        """A DMA channel waits for a result."""
        self._channels.append(channel)
        if not self._busy:
            self._deliver()

    def _deliver(self) -> None:
        for channel in list(self._channels):
            if not channel.enabled:
                self._channels.remove(channel)
            elif self._output and len(self._output) >= channel.bytes:
                self._channels.remove(channel)
                channel.give(self._take(channel.bytes))
                channel.finish_after(channel.items)


def _registers(words: tuple[int, ...]) -> Registers:
    """The words' fields; bits that the KPU does not define are dropped, as the chip does."""
    known = (word & bits for word, bits in zip(words, sums.KNOWN_BITS, strict=True))
    return Registers.unpack(struct.pack(f"<{sums.WORDS}Q", *known))


def _places(registers: Registers) -> tuple[Place, Place]:
    source = Place(
        registers.image_src_addr, registers.i_ch_num, registers.i_col_high, registers.i_row_wid,
        max(1, registers.coef_group), registers.channel_switch_addr, registers.row_switch_addr,
    )  # fmt: skip
    target = Place(
        registers.image_dst_addr, registers.o_ch_num, registers.o_col_high, registers.o_row_wid,
        max(1, registers.wb_group), registers.wb_channel_switch_addr, registers.wb_row_switch_addr,
    )  # fmt: skip
    return source, target

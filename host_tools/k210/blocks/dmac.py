"""DMAC: six channels between memory and peripherals (SDK: dmac.h, a DesignWare AXI DMAC; single blocks only)."""

from __future__ import annotations

from typing import Any

from host_tools.k210.blocks.addresses import Irq
from host_tools.k210.blocks.registers import Chip, Registers

CHANNELS = 6
_ID, _VERSION, _CONFIG, _ENABLE, _STATUS, _RESET = 0x00, 0x08, 0x10, 0x18, 0x30, 0x58
_CHANNEL, _STEP = 0x100, 0x100
_SOURCE, _TARGET, _BLOCK, _CONTROL = 0x00, 0x08, 0x10, 0x18
_STATUS_ENABLE, _RAW_STATUS, _SIGNAL_ENABLE, _CLEAR = 0x80, 0x88, 0x90, 0x98
# What an interrupt line depends on beside a channel's status.
_OF_INTERRUPTS = (_STATUS_ENABLE, _SIGNAL_ENABLE, _CLEAR)
_BLOCK_DONE, _TRANSFER_DONE = 1, 2
_MOST_ITEMS_MASK = 0x3F_FFFF
_WIDTHS = 7
# An item of a copy in memory is taken to need so many cycles: reading and writing it.
_COPY_CYCLES = 2
# Items of a transfer that nobody paces are moved at once; more than memory has are a mistake of the guest.
_MOST_BYTES = 8 * 1024 * 1024


class Channel:
    """One channel's registers, and the transfer under way."""

    def __init__(self, dmac: Dmac, number: int) -> None:
        self._dmac, self.number = dmac, number
        self.registers = [0] * (_STEP // 4)
        self.enabled, self.status, self.ends = False, 0, 0

    def _long(self, offset: int) -> int:
        return self.registers[offset // 4] | self.registers[offset // 4 + 1] << 32

    @property
    def source(self) -> int:
        """Bus address that is read."""
        return self._long(_SOURCE)

    @property
    def target(self) -> int:
        """Bus address that is written."""
        return self._long(_TARGET)

    @property
    def items(self) -> int:
        """How many items of the source's width are moved."""
        return (self._long(_BLOCK) & _MOST_ITEMS_MASK) + 1

    @property
    def source_width(self) -> int:
        """Bytes of an item."""
        return 1 << min(self._long(_CONTROL) >> 8 & _WIDTHS, 3)

    @property
    def target_width(self) -> int:
        """Bytes of an item where it is written."""
        return 1 << min(self._long(_CONTROL) >> 11 & _WIDTHS, 3)

    @property
    def bytes(self) -> int:
        """Bytes of the transfer."""
        return self.items * self.source_width

    @property
    def source_stays(self) -> bool:
        """Whether every item is read from the same address."""
        return bool(self._long(_CONTROL) >> 4 & 1)

    @property
    def target_stays(self) -> bool:
        """Whether every item is written to the same address."""
        return bool(self._long(_CONTROL) >> 6 & 1)

    @property
    def to_memory(self) -> bool:
        """Whether it writes to memory."""
        return self._dmac.chip.memory.offset(self.target) >= 0

    def take(self) -> bytes:
        """What it carries from memory to a peripheral."""
        memory, width = self._dmac.chip.memory, self.source_width
        if self.source_stays:
            return memory.load(self.source, width) * self.items
        if memory.offset(self.source, self.bytes) < 0:
            self._dmac.chip.note(
                f"DMA channel {self.number} reads {self.bytes} bytes from {self.source:#x}, beyond memory"
            )
            return bytes(self.bytes)
        return memory.load(self.source, self.bytes)

    def give(self, data: bytes) -> None:
        """Store what a peripheral delivered."""
        if self.target_stays:
            data = data[-self.target_width :]
        if self._dmac.chip.memory.offset(self.target, len(data)) < 0:
            self._dmac.chip.note(
                f"DMA channel {self.number} writes {len(data)} bytes to {self.target:#x}, beyond memory"
            )
            return
        self._dmac.chip.memory.store(self.target, data)

    def finish_after(self, cycles: int) -> None:
        """End the transfer when the peripheral's line has carried it."""
        self.ends = self._dmac.chip.clock.cycles + max(1, cycles)
        self._dmac.chip.clock.after(cycles, self.finish)

    def finish(self) -> None:
        """The transfer is complete."""
        self.ends, self.enabled = 0, False
        self.status |= _BLOCK_DONE | _TRANSFER_DONE
        self._dmac.update(self)

    def stop(self) -> None:
        """The guest has disabled it."""
        self.enabled, self.ends = False, 0
        self._dmac.chip.clock.cancel(self.finish)


class Dmac(Registers):
    """A peripheral with handshake has dma_ready(channel) and ends the transfer itself; others are read or written."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "dmac", {_VERSION: 0x3130_322A})
        self.channels = [Channel(self, number) for number in range(CHANNELS)]

    def reset(self) -> None:
        super().reset()
        for channel in self.channels:
            channel.stop()
        self.channels = [Channel(self, number) for number in range(CHANNELS)]

    def get(self, offset: int) -> int:
        if offset >= _CHANNEL:
            number, register = divmod(offset - _CHANNEL, _STEP)
            if number >= CHANNELS:
                return 0
            channel = self.channels[number]
            return channel.status if register == _RAW_STATUS else channel.registers[register // 4]
        if offset == _ENABLE:
            ends = [channel.ends for channel in self.channels if channel.ends]
            if ends:
                self.chip.clock.wait(min(ends))
            return sum([1 << channel.number for channel in self.channels if channel.enabled])
        if offset == _STATUS:
            return sum([1 << channel.number for channel in self.channels if channel.status])
        return 0 if offset == _RESET else self.values.get(offset, 0)

    def set(self, offset: int, value: int) -> None:
        if offset >= _CHANNEL:
            number, register = divmod(offset - _CHANNEL, _STEP)
            if number < CHANNELS:
                self._set_channel(self.channels[number], register, value)
        elif offset == _ENABLE:
            for channel in self.channels:
                if value >> channel.number + 8 & 1:
                    self._enable(channel, bool(value >> channel.number & 1))
        elif offset == _RESET and value & 1:
            self.reset()
        else:
            super().set(offset, value)

    def _set_channel(self, channel: Channel, register: int, value: int) -> None:
        channel.registers[register // 4] = value
        if register == _CLEAR:
            channel.status &= ~value
        if register in _OF_INTERRUPTS:
            self.update(channel)

    def _enable(self, channel: Channel, on: bool) -> None:
        if not on:
            channel.stop()
        elif not channel.enabled:
            channel.enabled = True
            self._start(channel)

    def update(self, channel: Channel) -> None:
        """Set a channel's interrupt line; its enables have no effect until the guest has written them."""
        signal = channel.registers[_SIGNAL_ENABLE // 4] or 0xFFFF_FFFF
        active = channel.status & channel.registers[_STATUS_ENABLE // 4] & signal
        self.chip.interrupt(Irq.DMA0 + channel.number, bool(active))

    def _start(self, channel: Channel) -> None:
        memory = self.chip.memory
        from_memory = memory.offset(channel.source) >= 0
        if from_memory and channel.to_memory:
            channel.give(channel.take())
            channel.finish_after(channel.items * _COPY_CYCLES)
            return
        device, offset = self.chip.find(channel.target if from_memory else channel.source)
        if hasattr(device, "dma_ready"):
            device.dma_ready(channel)
        elif device is None or not (from_memory or channel.to_memory) or channel.bytes > _MOST_BYTES:
            self.chip.note(
                f"DMA channel {channel.number} from {channel.source:#x} to {channel.target:#x}: nobody there"
            )
            channel.finish_after(1)
        elif from_memory:
            self._push(channel, device, offset)
        else:
            self._pull(channel, device, offset)

    def _push(self, channel: Channel, device: Any, offset: int) -> None:
        data, width = channel.take(), channel.target_width
        for at in range(0, len(data), width):
            item = int.from_bytes(data[at : at + width], "little")
            device.write(offset if channel.target_stays else offset + at, width, item)
        channel.finish_after(channel.items)

    def _pull(self, channel: Channel, device: Any, offset: int) -> None:
        width = channel.source_width
        step = 0 if channel.source_stays else width
        items = (device.read(offset + number * step, width) for number in range(channel.items))
        channel.give(b"".join((item & (1 << 8 * width) - 1).to_bytes(width, "little") for item in items))
        channel.finish_after(channel.items)

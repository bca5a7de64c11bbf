"""What the stand-ins ask of the chip: models, memory, flash, the UART, pins."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from host_tools.virtual_board import devices as board
from host_tools.virtual_board import timing
from host_tools.virtual_board.devices import Devices
from host_tools.virtual_board.models import LoadError, ModelError
from host_tools.virtual_board.protocol import MOST_BYTES, Error, RaisedError, Reply

PULL_UP = 2
_READ_LIMIT_US = 1_000_000
_EIO = 5
_WHOLE, _HALVES = struct.Struct("<q"), struct.Struct("<2i")

Service = Callable[..., Reply]


class ChipResetError(Exception):
    """The chip starts anew."""

    def __init__(self, cause: int) -> None:
        super().__init__(cause)
        self.cause = cause


class ChipCrashError(Exception):
    """The chip prints this and then does nothing until it is reset."""


class Services:
    """Every method without an underscore is a service: it takes the request's integers and data and gives a Reply."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices

    def table(self) -> dict[str, Service]:
        """The services by name."""
        return {name: getattr(self, name) for name in dir(self) if not name.startswith("_") and name != "table"}


class ChipServices(Services):
    """The chip itself."""

    def kpu_load(self, data: bytes, address: int, *_: int) -> Reply:
        devices = self._devices
        if address:
            source, whole = devices.flash.read(address, devices.heap.size), False
        else:
            path = devices.file(data.decode())
            source, whole = path.read_bytes() or None if path and path.is_file() else None, True
        try:
            handle, model = devices.models.load(devices.heap, source, whole)
        except ModelError as error:
            if error.number == LoadError.NO_MEM:
                devices.out_of_memory()
            raise RaisedError(Error.VALUE, str(error)) from error
        if address:
            devices.spend(timing.microseconds(model.size, timing.FLASH_BYTES_PER_SECOND))
        picture = model.kpu.input_map
        layers, main_memory = len(model.kpu.model.layers), model.kpu.model.main_memory_bytes
        return Reply(
            (handle, model.size, picture.width, picture.height, picture.channels, layers, main_memory, int(model.raw))
        )

    def kpu_forward(self, data: bytes, handle: int, slot: int, *_: int) -> Reply:
        models, picture = self._devices.models, self._devices.models.get(handle).kpu.input_map
        if data:
            planes = np.frombuffer(data, np.uint8).reshape(picture.channels, picture.height, picture.width)
        else:
            planes = self._devices.sensor.planes[slot]
        devices, begin = self._devices, self._devices.clock.now()
        outputs = models.run(handle, planes)
        devices.clock.wait(begin + models.get(handle).kpu_us, devices.stirred)
        return Reply(data=outputs)

    def kpu_layers(self, data: bytes, handle: int, layers: int, *_: int) -> Reply:
        return Reply((int(self._devices.models.get(handle).take_layers(layers)),))

    def kpu_output(self, data: bytes, handle: int, index: int, *_: int) -> Reply:
        model = self._devices.models.get(handle).kpu.model
        if index >= len(model.outputs):
            return Reply()
        output, shape = model.outputs[index], model.convolutions[-1].layer.destination
        return Reply((output.address, output.size, shape.width, shape.height, shape.channels, 1))

    def kpu_deinit(self, data: bytes, handle: int, *_: int) -> Reply:
        self._devices.models.unload(self._devices.heap, handle)
        return Reply()

    def ticks(self, data: bytes, *_: int) -> Reply:
        """The board's time, its lower and its upper half."""
        return Reply(_HALVES.unpack(_WHOLE.pack(self._devices.clock.now() - self._devices.started)))

    def heap_free(self, data: bytes, *_: int) -> Reply:
        return Reply((self._devices.heap.free,))

    def gc_heap_size(self, data: bytes, size: int, *_: int) -> Reply:
        if size:
            self._devices.next_gc_heap_bytes = size
        return Reply((self._devices.next_gc_heap_bytes,))

    def flash_read(self, data: bytes, address: int, size: int, *_: int) -> Reply:
        flash, start = self._devices.flash, address % self._devices.flash.size
        if size > MOST_BYTES:
            raise RaisedError(Error.OS, _EIO)
        found = flash.read(start, size)
        found += flash.read(0, size - len(found))
        self._devices.spend(timing.microseconds(size, timing.FLASH_BYTES_PER_SECOND))
        return Reply(data=found)

    def uart_init(self, data: bytes, baud: int, ring_bytes: int, *_: int) -> Reply:
        self._devices.uart.set_up(baud, ring_bytes)
        return Reply()

    def uart_any(self, data: bytes, *_: int) -> Reply:
        return Reply((self._devices.uart.waiting(),))

    def uart_readchar(self, data: bytes, *_: int) -> Reply:
        byte = self._devices.uart.take(1)
        return Reply((byte[0] if byte else -1,))

    def uart_read(self, data: bytes, size: int, timeout_ms: int, *_: int) -> Reply:
        limit = min(timeout_ms * 1000, _READ_LIMIT_US)
        return Reply(data=self._devices.uart.read(size, limit, self._devices.stirred))

    def uart_write(self, data: bytes, *_: int) -> Reply:
        self._devices.console.write(data)
        return Reply()

    def kbd_intr(self, data: bytes, byte: int, *_: int) -> Reply:
        self._devices.uart.interrupt_byte = byte
        return Reply()

    def pin_get(self, data: bytes, pin: int, mode: int, *_: int) -> Reply:
        devices = self._devices
        return Reply((devices.inputs.get(pin, devices.outputs.get(pin, int(mode == PULL_UP))),))

    def pin_set(self, data: bytes, pin: int, level: int, *_: int) -> Reply:
        self._devices.outputs[pin] = level
        return Reply()

    def watchdog(self, data: bytes, timeout_ms: int, *_: int) -> Reply:
        self._devices.watchdog = self._devices.clock.now() + timeout_ms * 1000 if timeout_ms else None
        return Reply()

    def reset(self, data: bytes, *_: int) -> Reply:
        raise ChipResetError(board.SOFTWARE)

    def reset_cause(self, data: bytes, *_: int) -> Reply:
        return Reply((self._devices.reset_cause,))

    def crash(self, data: bytes, *_: int) -> Reply:
        raise ChipCrashError(data.decode())

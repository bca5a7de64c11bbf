"""Puts the chip together: which block is where on the bus, and which part of the board is on which block."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from host_tools.k210.blocks import addresses as at
from host_tools.k210.blocks.aes import Aes
from host_tools.k210.blocks.clint import Clint
from host_tools.k210.blocks.dmac import Dmac
from host_tools.k210.blocks.dvp import Dvp
from host_tools.k210.blocks.fpioa import Fpioa
from host_tools.k210.blocks.gpio import Gpio
from host_tools.k210.blocks.gpiohs import GpioHs
from host_tools.k210.blocks.i2c import I2c
from host_tools.k210.blocks.otp import Otp
from host_tools.k210.blocks.pins import Pins
from host_tools.k210.blocks.plic import Plic
from host_tools.k210.blocks.registers import Registers, Unmodelled
from host_tools.k210.blocks.rtc import Rtc
from host_tools.k210.blocks.sha256 import Sha256
from host_tools.k210.blocks.spi import Spi
from host_tools.k210.blocks.sysctl import Sysctl
from host_tools.k210.blocks.timers import Timers
from host_tools.k210.blocks.uart import Uart
from host_tools.k210.blocks.uarths import Uarths
from host_tools.k210.blocks.watchdog import Watchdog
from host_tools.k210.kpu.block import Kpu
from host_tools.k210.kpu.sums import TimeModel
from host_tools.k210.parts.gc0328 import Gc0328
from host_tools.k210.parts.image_sensor import Gradient, ImageSensor, Scene
from host_tools.k210.parts.lcd import Lcd
from host_tools.k210.parts.ov2640 import Ov2640
from host_tools.k210.parts.ov7740 import Ov7740
from host_tools.k210.parts.power_chip import PowerChip
from host_tools.k210.parts.sd_card import SdCard
from host_tools.k210.parts.spi_flash import SpiFlash

SENSORS: dict[str, type[ImageSensor]] = {kind.name: kind for kind in (Ov2640, Ov7740, Gc0328)}
_KPU_BYTES, _FFT_BYTES, _PLIC_BYTES, _ROM_BYTES = 0xC0_0000, 0x40_0000, 0x40_0000, 0x2_0000
# Bits of sysctl's peripheral reset, and the block that each resets.
_RESET_BITS = {
    2: "kpu", 3: "dvp", 5: "gpio", 6: "spi0", 7: "spi1", 9: "spi3", 16: "uart1", 17: "uart2", 18: "uart3", 19: "aes",
    21: "timer0", 22: "timer1", 23: "timer2", 24: "wdt0", 25: "wdt1", 26: "sha256", 29: "rtc",
}  # fmt: skip


class Bus:
    """All blocks by their names, and `regions` for the harts: (base, bytes, device)."""

    def __init__(
        self,
        chip: Any,
        flash: Path | bytes | None,
        camera: Scene | None,
        sd: Path | None,
        time_model: TimeModel,
        camera_rate: Fraction,
    ) -> None:
        self._chip = chip
        self.regions: list[tuple[int, int, Any]] = []
        self.clint = self._add(at.CLINT, at.BLOCK, Clint(chip))
        self.plic = self._add(at.PLIC, _PLIC_BYTES, Plic(chip))
        self.sysctl = self._add(at.SYSCTL, at.BLOCK, Sysctl(chip, chip.reset))
        self.fpioa = self._add(at.FPIOA, at.BLOCK, Fpioa(chip))
        self.gpio = self._add(at.GPIO, at.BLOCK, Gpio(chip))
        self.gpiohs = self._add(at.GPIOHS, at.PAGE, GpioHs(chip))
        self.pins = Pins(self.fpioa, self.gpio, self.gpiohs)
        self.uarths = self._add(at.UARTHS, at.PAGE, Uarths(chip))
        self.uarts = [self._add(base, at.BLOCK, Uart(chip, number)) for number, base in enumerate(at.UART)]
        self.dmac = self._add(at.DMAC, at.BLOCK, Dmac(chip))
        self._add_spi(flash, sd)
        self._add_camera(camera, camera_rate)
        self.kpu = self._add(at.KPU, _KPU_BYTES, Kpu(chip, time_model))
        self.timers = [self._add(base, at.BLOCK, Timers(chip, number)) for number, base in enumerate(at.TIMER)]
        self.watchdogs = [
            self._add(base, at.BLOCK, Watchdog(chip, number, chip.reset)) for number, base in enumerate(at.WATCHDOG)
        ]
        self._add(at.RTC, at.BLOCK, Rtc(chip)).name = "rtc"
        self._add(at.OTP, at.BLOCK, Otp(chip))
        self._add(at.SHA256, at.BLOCK, Sha256(chip))
        self._add(at.AES, at.BLOCK, Aes(chip))
        self._add_unmodelled()

    def _add(self, base: int, size: int, device: Any) -> Any:
        self.regions.append((base, size, device))
        return device

    def _add_spi(self, flash: Path | bytes | None, sd: Path | None) -> None:
        chip, wiring = self._chip, self._chip.wiring
        self.spi = {0: Spi(chip, 0), 1: Spi(chip, 1), 3: Spi(chip, 3)}
        for number, base in ((0, at.SPI0), (1, at.SPI1), (3, at.SPI3)):
            self._add(base, at.PAGE, self.spi[number])
        self.flash = SpiFlash(chip, flash)
        self.spi[3].parts.append(self.flash)
        self.lcd = Lcd(chip, wiring.lcd, wiring.view) if wiring.lcd and wiring.view else None
        self.sd = SdCard(chip, wiring.sd, sd) if sd else None
        self.spi[0].parts += [part for part in (self.lcd, self.sd) if part]
        self.spi[1].parts += [self.sd] if self.sd else []

    def _add_camera(self, camera: Scene | None, rate: Fraction) -> None:
        chip = self._chip
        scene = camera or Gradient()
        # Where a board may carry one of several sensors, the first is fitted.
        sensors = [SENSORS[name](scene, rate) for name in chip.wiring.sensors[:1]]
        self.dvp = self._add(at.DVP, at.BLOCK, Dvp(chip, sensors))
        self.i2c = [self._add(base, at.BLOCK, I2c(chip, number)) for number, base in enumerate(at.I2C)]
        parts: list[Any] = list(sensors)
        if chip.wiring.power_clock is not None:
            parts.append(PowerChip(chip.wiring.power_clock))
        for controller in self.i2c:
            controller.parts = parts

    def _add_unmodelled(self) -> None:
        names = {at.FFT: "the FFT engine", at.SPI_SLAVE: "the SPI slave"}
        names.update({base: f"I2S{number}" for number, base in enumerate(at.I2S)})
        for base, name in names.items():
            self._add(base, _FFT_BYTES if base == at.FFT else at.BLOCK, Unmodelled(self._chip, name, base))
        self._add(at.ROM, _ROM_BYTES, Unmodelled(self._chip, "the mask ROM", at.ROM))

    def find(self, address: int) -> tuple[Any, int]:
        """The device at a bus address, and the offset in it; (None, 0) where there is none."""
        for base, size, device in self.regions:
            if base <= address < base + size:
                return device, address - base
        return None, 0

    def reset(self) -> None:
        """What a reset of the chip does; what is around it goes on."""
        for _, _, device in self.regions:
            device.reset()

    def power_on(self) -> None:
        """What the board's supply does to what is around the chip."""
        self.flash.power_on()
        for sensor in self.dvp.sensors:
            sensor.power_on()
        if self.lcd:
            self.lcd.power_on()

    def reset_blocks(self, bits: int) -> None:
        """Reset the blocks whose bit is set in sysctl's peripheral reset register."""
        for bit, name in _RESET_BITS.items():
            if bits >> bit & 1:
                for _, _, device in self.regions:
                    if isinstance(device, Registers) and device.name == name:
                        device.reset()

"""Where the K210's blocks are on the bus, and the numbers of their interrupts and pin functions.

Source: platform.h, plic.h, fpioa.h and sysctl.h of the Kendryte standalone SDK.
"""

from __future__ import annotations

from enum import IntEnum

CLINT, PLIC = 0x0200_0000, 0x0C00_0000
UARTHS, GPIOHS = 0x3800_0000, 0x3800_1000
KPU, FFT, DMAC = 0x4080_0000, 0x4200_0000, 0x5000_0000
GPIO, FPIOA, SYSCTL = 0x5020_0000, 0x502B_0000, 0x5044_0000
UART = (0x5021_0000, 0x5022_0000, 0x5023_0000)
SPI_SLAVE, I2S = 0x5024_0000, (0x5025_0000, 0x5026_0000, 0x5027_0000)
I2C = (0x5028_0000, 0x5029_0000, 0x502A_0000)
SHA256, TIMER = 0x502C_0000, (0x502D_0000, 0x502E_0000, 0x502F_0000)
WATCHDOG, OTP, DVP = (0x5040_0000, 0x5041_0000), 0x5042_0000, 0x5043_0000
AES, RTC = 0x5045_0000, 0x5046_0000
SPI0, SPI1, SPI3 = 0x5200_0000, 0x5300_0000, 0x5400_0000
ROM = 0x8800_0000
BLOCK, PAGE = 0x1_0000, 0x1000


class Irq(IntEnum):
    """Lines of the PLIC; GPIOHS has one a pin, the DMAC one a channel."""

    SPI0, SPI1, SPI_SLAVE, SPI3 = 1, 2, 3, 4
    I2C0 = 8
    UART1 = 11
    TIMER0A = 14
    RTC = 20
    WATCHDOG0 = 21
    GPIO, DVP, KPU, FFT = 23, 24, 25, 26
    DMA0 = 27
    UARTHS = 33
    GPIOHS0 = 34


IRQ_LINES = 66


class Function(IntEnum):
    """What a pin can be connected to, by the pin matrix (fpioa.h): the first of each row of functions."""

    SPI0_D0, SPI0_SS0, SPI0_SCLK = 4, 12, 17
    UARTHS_RX, UARTHS_TX = 18, 19
    GPIOHS0, GPIO0 = 24, 56
    UART1_RX = 64
    SPI1_D0, SPI1_SS0, SPI1_SCLK = 70, 78, 83
    I2C0_SCLK, I2C0_SDA = 126, 127
    CMOS_XCLK, CMOS_RST, CMOS_PWDN = 132, 133, 134
    SCCB_SCLK = 146
    TIMER0_TOGGLE1 = 190


PINS = 48
GPIOHS_PINS, GPIO_PINS = 32, 8

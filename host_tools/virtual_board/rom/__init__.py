"""The virtual board's boot: the K210's mask ROM, kflash's stub in RAM, and what can go wrong while flash is written."""

from host_tools.virtual_board.rom.boot_rom import BootRom
from host_tools.virtual_board.rom.faults import DownloadFault, Flip

__all__ = ["BootRom", "DownloadFault", "Flip"]

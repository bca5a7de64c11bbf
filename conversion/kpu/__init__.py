"""The K210's KPU on the host: exact arithmetic, a modelled 2 MiB of RAM, and the network run on pictures."""

from conversion.kpu.simulator import Kpu

__all__ = ["Kpu"]

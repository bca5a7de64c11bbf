"""Every benchmark, as ratios measured in one run: `make bench`. Also written to build/bench.json as {name: number}."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from tests.conversion.kpu import bench_kpu
from tests.firmware import bench_decoder

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS: tuple[Callable[[], dict[str, float]], ...] = (
    bench_kpu.simulator_vs_nncase,
    bench_decoder.decoder_vs_float,
    bench_decoder.decoder_heap_bytes_per_frame,
)


def main() -> int:
    """Run them one after another, print a line each."""
    results: dict[str, float] = {}
    for benchmark in BENCHMARKS:
        for name, value in benchmark().items():
            print(f"{name:<40} {value:,.4g}", flush=True)
            results[name] = value
    path = ROOT / "build" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

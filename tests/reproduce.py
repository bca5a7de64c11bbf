"""Every figure that a README publishes, measured again: `make reproduce`. Exit code 1 where one has changed.

figures.toml lists them: what is published, in which file, how it is measured, and how far it may move.
`python -m tests.reproduce RUN …` measures only with the commands of these names.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from conversion.toml import tomllib
from tests.host_tools.k210 import images

ROOT = Path(__file__).resolve().parents[1]
FIGURES = Path(__file__).with_name("figures.toml")
PACKAGES = ("nncase", "tensorflow-cpu", "numpy", "Pillow", "scikit-image")


@dataclass(frozen=True)
class Figure:
    """One published figure: `run` names the command in figures.toml, `path` where its JSON holds the value."""

    name: str
    file: str
    text: str
    run: str
    path: str
    value: float
    tolerance: float = 0.0


@dataclass(frozen=True)
class Run:
    """A command and the JSON file that it writes; `needs` is a path without which it cannot run."""

    command: list[str]
    result: str
    needs: str | None = None


def load() -> tuple[dict[str, Run], list[Figure]]:
    """The commands by name, and the figures, of figures.toml; {shared} in a command is the folder of photos, {maixpy}
    that of the vendor's images."""
    shared = os.environ.get("POSENET_SHARED") or "../shared"
    text = FIGURES.read_text().replace("{shared}", shared).replace("{maixpy}", images.FOLDER.as_posix())
    data = tomllib.loads(text)
    runs = {name: Run(**entry) for name, entry in data["run"].items()}
    return runs, [Figure(**entry) for entry in data["figure"]]


def measured(run: Run) -> dict:
    """Run a command and read what it wrote."""
    subprocess.run([sys.executable, *run.command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return json.loads((ROOT / run.result).read_text())


def look_up(data: dict, path: str) -> float:
    """The number at a path such as heads.0.scale."""
    value: object = data
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return float(value)


def main(wanted: list[str]) -> int:
    """Measure everything that can be measured here, or what the `wanted` runs do, and print a line a figure.

    1 if a figure has drifted, 2 if there is no such run.
    """
    runs, figures = load()
    if unknown := sorted(set(wanted) - set(runs)):
        print(f"reproduce: {', '.join(unknown)}: no such run; there are {', '.join(runs)}", file=sys.stderr)
        return 2
    runs = {name: run for name, run in runs.items() if not wanted or name in wanted}
    figures = [figure for figure in figures if figure.run in runs]
    print(f"CPython {platform.python_version()}, " + ", ".join(f"{name} {_version(name)}" for name in PACKAGES))
    drifted = 0
    for name, run in runs.items():
        print(f"\n$ python {' '.join(run.command)}")
        if run.needs and not (ROOT / run.needs).exists():
            print(f"  not checked here: {run.needs} is missing")
            continue
        data = measured(run)
        for figure in (figure for figure in figures if figure.run == name):
            drifted += not _report(figure, look_up(data, figure.path))
    print(f"\n{drifted} of {len(figures)} figures have changed" if drifted else "\nno figure has changed")
    return 1 if drifted else 0


def _report(figure: Figure, value: float) -> bool:
    holds = abs(value - figure.value) <= figure.tolerance
    allowed = f" ± {figure.tolerance:g}" if figure.tolerance else ""
    state = "ok     " if holds else "CHANGED"
    print(f"  {state} {figure.name}: {value:,.10g} (published {figure.value:,.10g}{allowed} in {figure.file})")
    return holds


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

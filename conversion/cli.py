"""The command line: parses, calls one function of the library, prints. Exit codes: 0, 1 a check failed, 2 bad input."""

from __future__ import annotations

import json
import re
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from conversion import __version__, command_line, network, presets
from conversion.errors import ConversionError, ProofError, SizeError
from conversion.printing import Named, say, show, tabulate, talk, talk_console
from conversion.progress import bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conversion import run_sequence
    from conversion.run_photo import Result

VERSIONS = {"v3": 3, "v5": 5}


class _Size(click.ParamType):
    """WxH, such as 320x240: width first."""

    name = "WxH"

    def convert(
        self, value: object, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        width, separator, height = str(value).lower().partition("x")
        if not (separator and width.isdecimal() and height.isdecimal() and len(str(value)) <= 11):
            raise SizeError(f"size {value}: expected width x height, such as 320x240")
        return int(width), int(height)


class _Zooms(click.ParamType):
    """Values of the board's setting `zoom`: one, several with commas between them, or from..to."""

    name = "N"

    def convert(
        self, value: object, parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, ...]:
        found: list[int] = []
        for part in str(value).split(","):
            first, _, last = part.partition("..")
            if not re.fullmatch("[0-4]", first) or not re.fullmatch("[0-4]?", last) or (last and last < first):
                raise SizeError(f"zoom {value}: expected values from 0 to 4, such as 1, 0,1,4 or 0..4")
            found += range(int(first), int(last or first) + 1)
        return tuple(found)


class _Commands(command_line.Commands):
    """With this package's errors."""

    errors = (ConversionError,)
    failed_checks = (ProofError,)

    def extra_of(self, command: str | None) -> str:
        """Everything here needs the same."""
        return "conversion"


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Published PoseNet weights in, a verified kmodel for the Kendryte K210 out."""


@main.command()
@click.option("--weights", type=click.Path(path_type=Path), help="File, folder or known name; default: fetched.")
@click.option(
    "--preset", type=click.Choice(list(presets.PRESETS)),
    help=f"A picture by its name: {', '.join(f'{name} {preset}' for name, preset in presets.PRESETS.items())}."
    f"  [default: {presets.DEFAULT}]",
)  # fmt: skip
@click.option("--size", type=_Size(), help="The picture, multiples of 16, in place of a preset.")
@click.option("--calibration", type=click.Path(path_type=Path), help="Folder of JPEG or PNG photos with people.")
@click.option(
    "--quantisation", type=click.Choice(["shipped", "full", "fast"]),
    help="shipped takes the rounding that known weights have been given on photos of people; full fits one to"
    " --calibration, or to scikit-image's photos; fast leaves it to nncase.  [default: shipped, else full]",
)  # fmt: skip
@click.option(
    "--format", "format_", type=click.Choice(list(VERSIONS)), default="v3", show_default=True,
    help="v3 loads in every MaixPy v1; v5 is nncase's own file.",
)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), default=Path("build"), show_default=True, help="Folder.")
@click.option("--known-only", is_flag=True, help="Refuse weights whose SHA-256 is not that of a published file.")
def kmodel(
    weights: Path | None,
    preset: str | None,
    size: tuple[int, int] | None,
    calibration: Path | None,
    quantisation: str | None,
    format_: str,
    output: Path,
    known_only: bool,
) -> None:
    """Make a kmodel, its model card and a report, and prove them on the host."""
    from conversion import files, pipeline
    from conversion.report import accuracy, summary, writing

    picture = presets.chosen(preset, size)
    options = weights, calibration, VERSIONS[format_], known_only, quantisation, picture.turned
    recipe = pipeline.Recipe(output, *picture.size, *options)
    files.check_writable(output)
    made = pipeline.convert(recipe, talk_console.is_terminal, talk)
    pipeline.write(made)
    page = writing.write(made, accuracy.folder(made.path))
    show(Named([("written", str(made.path)), ("report", str(page)), *summary.facts(made)]))


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("image", type=click.Path(path_type=Path))
@click.option("--heads", type=click.Path(path_type=Path), help="Write the raw heads: an .npz of four uint8 [C, H, W].")
@click.option("--overlay", type=click.Path(path_type=Path), help="Write the picture with the poses drawn: PNG or GIF.")
@click.option("--json", "as_json", is_flag=True, help="Print poses and checksums as JSON.")
@click.option(
    "--zoom", type=click.IntRange(0, 4), help="See it through a VGA camera's windows, as the board's setting."
)
@click.option("--smooth", is_flag=True, help="With zoom: smooth the keypoints from frame to frame, as the board does.")
def simulate(
    model: Path, image: Path, heads: Path | None, overlay: Path | None, as_json: bool, zoom: int | None, smooth: bool
) -> None:
    """Run a kmodel on a photo as the board would, and decode the poses with the board's decoder.

    A folder of frames, an animation (GIF, PNG, WebP) or, where ffmpeg is, a video is run as a VGA camera would see it.
    """
    from conversion import run_photo, sequence

    if zoom is not None or sequence.is_moving(image):
        _simulate_sequence(model, image, heads, overlay, as_json, zoom or 0, smooth)
        return
    result = run_photo.simulate(model, image)
    if heads is not None:
        run_photo.write_heads(result, heads)
    if overlay is not None:
        run_photo.write_overlay(result, overlay)
    if as_json:
        click.echo(json.dumps(result.to_dict()))
    else:
        _print_poses(result)


@main.command()
@click.argument("model", metavar="MODEL|float")
@click.option("--coco", type=click.Path(path_type=Path), required=True, help="Annotations: person_keypoints_*.json.")
@click.option("--images", type=click.Path(path_type=Path), required=True, help="Folder with the photos.")
@click.option("--where", metavar="FIELD=VALUE", help="Only photos whose image entry has this value.")
@click.option("--size", type=_Size(), help="For float: the picture, multiples of 16.  [default: 320x240]")
@click.option("--upright", is_flag=True, help="Only photos that are higher than wide.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many photos.")
@click.option("--weights", type=click.Path(path_type=Path), help="File, folder or known name; default: as in the card.")
@click.option("--no-people", type=click.Path(path_type=Path), help="Folder of photos without people: false positives.")
@click.option("--replace", is_flag=True, help="Put the figures into the card also where it has those of a larger set.")
@click.option("--json", "json_", type=click.Path(path_type=Path), help="Write the figures, and a plot (.svg) beside.")
@click.option(
    "--zoom", type=_Zooms(), multiple=True, help="Also with a VGA camera's windows: 0 to 4, as 1, 0,1,4 or 0..4."
)
def evaluate(
    model: str, coco: Path, images: Path, json_: Path | None, zoom: tuple[tuple[int, ...], ...], **options: object
) -> None:
    """Measure COCO keypoint AP of every stage from the published network to the board, and what each one loses.

    The figures of a whole set (without --limit) also go into the kmodel's card.
    """
    from conversion import files
    from conversion.evaluation import evaluate as evaluation
    from conversion.evaluation import tables

    trial = evaluation.Trial(model, coco, images, **options, zoom=tuple(sorted(set(sum(zoom, ())))))
    if json_ is not None:
        files.check_writable(json_.parent)
    found = evaluation.evaluate(trial, talk_console.is_terminal, talk)
    if json_ is not None:
        talk(f"written: {json_} and {evaluation.write(found, json_)}")
    if trial.goes_into_card:
        talk(evaluation.note_in_card(found, trial))
    for table in tables.tables(found):
        show(table)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--html", type=click.Path(path_type=Path), help="Write one page with the graph drawn and all tables.")
def inspect(file: Path, as_json: bool, html: Path | None) -> None:
    """Look into published weights, a TFLite file, a kmodel, a K210 firmware, a .kfpkg or a release."""
    from conversion import files, inspection
    from conversion.inspection import document, page, terminal

    found = inspection.inspect(file)
    if html is not None:
        files.write(html, page.render(found).encode())
        talk(f"written: {html}")
    if as_json:
        click.echo(document.to_json(found))
    else:
        terminal.print_all(found)


def _simulate_sequence(
    model: Path, path: Path, heads: Path | None, overlay: Path | None, as_json: bool, zoom: int, smooth: bool
) -> None:
    from conversion import run_sequence

    if heads is not None:
        raise SizeError("--heads: a frame has several runs; leave it out, or give one photo without --zoom")
    frames = run_sequence.open_frames(model, path, zoom, smooth)
    watched = run_sequence.Watched()

    def counted() -> Iterator[run_sequence.Frame]:
        with bar(talk_console.is_terminal) as report:
            for number, frame in enumerate(frames):
                report("frames", number, 0)
                watched.add(frame)
                if as_json:
                    click.echo(json.dumps({"windows": frame.windows, "poses": frame.wire}))
                yield frame

    if overlay is None:
        deque(counted(), maxlen=0)
    else:
        run_sequence.write_overlay(counted(), overlay)
        talk(f"written: {overlay}")
    if as_json:
        click.echo(json.dumps(watched.to_dict()))
    else:
        show(Named([(name.replace("_", " "), str(value)) for name, value in watched.to_dict().items()]))


def _print_poses(result: Result) -> None:
    show(Named([("model", result.model_sha256), ("input", result.input_sha256)]))
    if not result.poses:
        say("no pose: the board would show nobody")
        return
    rows = []
    for number, pose in enumerate(result.poses, start=1):
        keypoints = zip(network.KEYPOINTS, pose.keypoints, result.in_photo(pose), strict=True)
        for name, (x, y, score), (photo_x, photo_y, _) in keypoints:
            places = (f"{x:.1f}, {y:.1f}", f"{photo_x:.1f}, {photo_y:.1f}")
            rows.append((str(number), f"{pose.score:.2f}", name, *places, f"{score:.2f}"))
    # x and y in pixels: of what the board sees, and of the photo.
    tabulate(("pose", "score", "keypoint", "model px", "photo px", "keypoint score"), rows)

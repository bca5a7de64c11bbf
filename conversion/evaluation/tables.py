"""The figures as tables for the terminal, narrow enough for 80 columns."""

from __future__ import annotations

from rich import box
from rich.table import Table

from conversion.evaluation import paired
from conversion.evaluation.chain import FLOAT, INTEGER, KMODEL, PADDED, ROUNDED, VOTED
from conversion.evaluation.displacement import JUMP_PX
from conversion.evaluation.result import Evaluation, signed

_NEW_IN_STAGE = {
    FLOAT: "the published network, at one pixel more each way",
    PADDED: "padded as the KPU pads",
    ROUNDED: "the kmodel's weights",
    KMODEL: "8-bit activations, on the simulated KPU",
    INTEGER: "the board's decoder",
    VOTED: "the board's decoder, with its vote",
}


def tables(evaluation: Evaluation) -> list[Table]:
    """The loss waterfall; then, where they were measured, heads and keypoints, layers, false positives."""
    made = [waterfall(evaluation)]
    if evaluation.changes:
        made.append(changes(evaluation))
    if evaluation.displacement is not None:
        made.append(differences(evaluation))
    if evaluation.layers:
        made.append(layers(evaluation))
    if evaluation.false_positives:
        made.append(false_positives(evaluation))
    return made


def _table(title: str, *columns: str, caption: str | None = None) -> Table:
    """A first column of names, then columns of figures."""
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=box.SIMPLE)
    table.add_column(columns[0], no_wrap=True)
    for name in columns[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def waterfall(evaluation: Evaluation) -> Table:
    """COCO figures by stage, the change from stage to stage, and OKS of the single pose where one person is alone."""
    coco = evaluation.coco
    photos = next(iter(evaluation.alone.values())).photos
    notes = [f"{stage}: {_NEW_IN_STAGE[stage]}" for stage in evaluation.precision]
    notes.append(f"one person: mean OKS of the single pose on the {photos} photos of one person")
    title = f"COCO keypoints, {coco.persons} persons on {len(coco.photos)} photos of {coco.file}"
    columns = ("stage", "AP", "change", "AP50", "AP75", "AR", "one person")
    table = _table(title, *columns, caption="\n".join(notes))
    before = None
    for stage, found in evaluation.precision.items():
        change = "" if before is None else signed(found.ap - before, 3)
        figures = (f"{figure:.3f}" for figure in (found.ap50, found.ap75, found.ar))
        oks = evaluation.alone[stage].oks
        table.add_row(stage, f"{found.ap:.3f}", change, *figures, "-" if oks is None else f"{oks:.3f}")
        before = found.ap
    return table


def changes(evaluation: Evaluation) -> Table:
    """How sure each stage's change of AP from the first one is."""
    first, *_ = evaluation.precision
    title = f"AP against {first}: the change, and where it lies in {paired.CONFIDENCE:.0%} of {paired.DRAWS} draws"
    table = _table(title, "stage", "change", "lowest", "highest", caption="each draw takes the same photos for both")
    for stage, found in evaluation.changes.items():
        change = evaluation.precision[stage].ap - evaluation.precision[first].ap
        table.add_row(stage, *(signed(figure, 3) for figure in (change, found.low, found.high)))
    return table


def differences(evaluation: Evaluation) -> Table:
    """SQNR of the heads, and by how much sure keypoints move."""
    moved = evaluation.displacement
    table = _table("The kmodel against float at the same size", "measure", "value")
    for head, value in evaluation.sqnr_db.items():
        table.add_row(f"SQNR of head {head}", f"{value:.1f} dB")
    table.add_section()
    table.add_row("keypoints with float score over 0.5", str(moved.keypoints))
    if moved.keypoints:
        table.add_row("displacement, median", f"{moved.median:.2f} px")
        table.add_row("displacement, 90th percentile", f"{moved.p90:.2f} px")
        table.add_row("found in another cell", f"{moved.cell_flips:.1%}")
        table.add_row(f"jumped further than {JUMP_PX:.0f} px", str(moved.jumps))
    if moved.jumps and moved.steady_p90 is not None:
        table.add_row("without these, median", f"{moved.steady_median:.2f} px")
        table.add_row("without these, 90th percentile", f"{moved.steady_p90:.2f} px")
    return table


def layers(evaluation: Evaluation) -> Table:
    """SQNR after each layer, and how that differs from the layer before."""
    title = "SQNR after each layer against float, dB (each channel at its best scale)"
    table = _table(title, "layer", "channels", "kmodel's weights", "change", "KPU", "change")
    rows = evaluation.layers
    for before, layer in zip([None, *rows], rows, strict=False):
        weights = _changed(layer.weights_db, before and before.weights_db)
        kpu = _changed(layer.kpu_db, before and before.kpu_db)
        table.add_row(layer.name, str(layer.channels), *weights, *kpu)
    return table


def _changed(now: float, before: float | None) -> tuple[str, str]:
    return f"{now:.1f}", "" if before is None else signed(now - before, 1)


def false_positives(evaluation: Evaluation) -> Table:
    """Poses on photos without people."""
    photos = next(iter(evaluation.false_positives.values())).photos
    title = f"False positives: poses with a root score of 0.5 on {photos} photos without people"
    table = _table(title, "stage", "poses", "poses a photo", "photos with a pose")
    for stage, found in evaluation.false_positives.items():
        table.add_row(stage, str(found.poses), f"{found.poses_a_photo:.2f}", str(found.photos_with_poses))
    return table

"""The figures as tables for the terminal, narrow enough for 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from conversion.evaluation.bootstrap import Difference
from conversion.evaluation.chain import FLOAT, INTEGER, KMODEL, PADDED, ROUNDED, VOTED
from conversion.evaluation.displacement import JUMP_PX
from conversion.evaluation.oks import Alone
from conversion.evaluation.result import Evaluation, LargerFigures, ZoomFigures, signed
from conversion.printing import Column, Table, counted

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
    if evaluation.displacement is not None:
        made.append(differences(evaluation))
    if evaluation.layers:
        made.append(layers(evaluation))
    if evaluation.zoom:
        made.append(zoom(evaluation))
    if evaluation.false_positives:
        made.append(false_positives(evaluation))
    return made


def _table(title: str, *columns: str, notes: Sequence[str] = ()) -> Table:
    """A first column of names, then columns of figures, and no rows as yet."""
    first, *others = columns
    figures = (Column(name, number=True, wraps=False) for name in others)
    return Table([Column(first, wraps=False), *figures], [], title, notes)


def waterfall(evaluation: Evaluation) -> Table:
    """COCO figures by stage, the change from stage to stage, and OKS of the single pose where one person is alone."""
    coco = evaluation.coco
    photos = next(iter(evaluation.alone.values())).photos
    notes = [f"{stage}: {_NEW_IN_STAGE[stage]}" for stage in evaluation.precision]
    notes.append(f"one person: mean OKS of the single pose on the {counted(photos, 'photo')} of one person")
    title = f"COCO keypoints, {counted(coco.persons, 'person')} on {counted(len(coco.photos), 'photo')} of {coco.file}"
    columns = ("stage", "AP", "change", "AP50", "AP75", "AR", "one person")
    table = _table(title, *columns, notes=notes)
    before = None
    for stage, found in evaluation.precision.items():
        change = "" if before is None else signed(found.ap - before, 3)
        figures = (f"{figure:.3f}" for figure in (found.ap50, found.ap75, found.ar))
        table.rows.append((stage, f"{found.ap:.3f}", change, *figures, _oks(evaluation.alone[stage])))
        before = found.ap
    return table


def differences(evaluation: Evaluation) -> Table:
    """SQNR of the heads, and by how much sure keypoints move."""
    moved = evaluation.displacement
    note = "in brackets: where 95 % of draws of as many photos lie"
    table = _table("The kmodel against float at the same size", "measure", "value", notes=[note])
    for head, value in evaluation.sqnr_db.items():
        table.rows.append((f"SQNR of head {head}", f"{value:.1f} dB"))
    table.rows.append(None)
    for stage, change in evaluation.differences.items():
        table.rows.append((f"AP less that of padded, {stage}", f"{signed(change.mean, 3)} ({_interval(change)})"))
    table.rows.append(None)
    table.rows.append(("keypoints with float score over 0.5", str(moved.keypoints)))
    if moved.keypoints:
        table.rows.append(("displacement, median", f"{moved.median:.2f} px"))
        low, high = moved.p90_interval
        table.rows.append(("displacement, 90th percentile", f"{moved.p90:.2f} px ({low:.2f} to {high:.2f})"))
        table.rows.append(("found in another cell", f"{moved.cell_flips:.1%}"))
        table.rows.append((f"jumped further than {JUMP_PX:.0f} px", str(moved.jumps)))
    if moved.jumps and moved.steady_p90 is not None:
        table.rows.append(("without these, median", f"{moved.steady_median:.2f} px"))
        table.rows.append(("without these, 90th percentile", f"{moved.steady_p90:.2f} px"))
    return table


def layers(evaluation: Evaluation) -> Table:
    """SQNR after each layer, and how that differs from the layer before."""
    title = "SQNR after each layer against float, dB (each channel at its best scale)"
    table = _table(title, "layer", "channels", "kmodel's weights", "change", "KPU", "change")
    rows = evaluation.layers
    for before, layer in zip([None, *rows], rows, strict=False):
        weights = _changed(layer.weights_db, before and before.weights_db)
        kpu = _changed(layer.kpu_db, before and before.kpu_db)
        table.rows.append((layer.name, str(layer.channels), *weights, *kpu))
    return table


def _changed(now: float, before: float | None) -> tuple[str, str]:
    return f"{now:.1f}", "" if before is None else signed(now - before, 1)


def zoom(evaluation: Evaluation) -> Table:
    """COCO figures by the value of `zoom`, and of the published network on larger pictures."""
    title = "Zoom: windows of the VGA frame, with the board's decoder and vote"
    notes = [
        "change: to zoom 0, and where it lies for 95 % of draws of as many photos",
        "runs: of the network, for one photo; with zoom 1 the second frame of the same photo counts",
    ]
    table = _table(title, "", "AP", "change", "95 %", "AR", "one person", "runs", notes=notes)
    for each in evaluation.zoom:
        table.rows.append((f"zoom {each.zoom}", *_figures(each), _oks(each.alone), f"{each.runs:.2f}"))
    table.rows.append(None)
    for each in evaluation.larger:
        table.rows.append(("float {}x{}".format(*each.size), *_figures(each), "", ""))
    return table


def _figures(each: ZoomFigures | LargerFigures) -> tuple[str, ...]:
    change, interval = each.difference, _interval(each.difference)
    mean = signed(change.mean, 3) if interval else ""
    return f"{each.precision.ap:.3f}", mean, interval, f"{each.precision.ar:.3f}"


def _interval(change: Difference) -> str:
    return f"{signed(change.low, 3)} {signed(change.high, 3)}" if change.low or change.high else ""


def _oks(alone: Alone) -> str:
    return "-" if alone.oks is None else f"{alone.oks:.3f}"


def false_positives(evaluation: Evaluation) -> Table:
    """Poses on photos without people."""
    photos = next(iter(evaluation.false_positives.values())).photos
    title = f"False positives: poses with a root score of 0.5 on {counted(photos, 'photo')} without people"
    table = _table(title, "stage", "poses", "poses a photo", "photos with a pose")
    for stage, found in evaluation.false_positives.items():
        table.rows.append((stage, str(found.poses), f"{found.poses_a_photo:.2f}", str(found.photos_with_poses)))
    return table

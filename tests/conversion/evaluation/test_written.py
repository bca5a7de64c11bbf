"""What an evaluation is written as: JSON, the card's entry, the plot, and tables."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

from conversion.errors import OutputError
from conversion.evaluation import evaluate, plot, tables
from conversion.evaluation.chain import FLOAT_STAGES, KMODEL_STAGES
from conversion.evaluation.displacement import Displacement
from conversion.evaluation.oks import Alone, Precision
from conversion.evaluation.result import Evaluation
from tests.conversion.evaluation.conftest import HEADS


@pytest.fixture
def of_floats(evaluation: Evaluation) -> Evaluation:
    """The same without a kmodel and without photos of nobody."""
    return replace(
        evaluation,
        precision={stage: Precision(0.0, 0.0, 0.0, 0.0) for stage in FLOAT_STAGES},
        alone={stage: Alone(0, None) for stage in FLOAT_STAGES},
        sqnr_db={},
        displacement=None,
        differences={},
        layers=[],
        false_positives={},
    )


def test_json_has_the_agreed_form(evaluation: Evaluation) -> None:
    written = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert list(written) == ["stages", "sqnr_db", "displacement_px", "images", "model_sha256", "differences"]
    assert written["differences"] == {stage: {"ap": [-0.004, -0.0101, 0.0021]} for stage in KMODEL_STAGES[2:]}
    assert [stage["name"] for stage in written["stages"]] == list(KMODEL_STAGES)
    assert written["stages"][1] == {"name": "padded", "ap": 0.123, "ap50": 0.34, "ap75": 0.07, "ar": 0.2}
    assert written["sqnr_db"] == {**dict.fromkeys(HEADS[1:], 23.46), "heatmap": None}
    assert written["displacement_px"] == {
        **{"median": 0.3123, "p90": 0.7, "cell_flips": 0.05},
        **{"jumps": 4, "steady_median": 0.3, "steady_p90": 0.61, "p90_interval": [0.5812, 0.93]},
    }
    assert (written["images"], written["model_sha256"]) == (1, "ab" * 32)


def test_json_of_floats(of_floats: Evaluation) -> None:
    written = of_floats.to_dict()
    assert [stage["name"] for stage in written["stages"]] == ["float", "padded"]
    assert (written["sqnr_db"], written["displacement_px"]) == ({}, None)


def test_no_sure_keypoint_is_null(evaluation: Evaluation) -> None:
    without = replace(evaluation, displacement=Displacement(0, None, None, None, 0, None, None, None))
    nothing = dict.fromkeys(("median", "p90", "cell_flips", "steady_median", "steady_p90", "p90_interval"))
    assert without.to_dict()["displacement_px"] == {**nothing, "jumps": 0}
    assert "median" not in text(without, 80)


def test_the_card_s_entry_says_where_figures_come_from(evaluation: Evaluation) -> None:
    entry = json.loads(json.dumps(evaluation.card_entry("the command"), allow_nan=False))
    assert entry["command"] == "the command"
    assert entry["set"] == {
        "name": "person_keypoints",
        "annotations": "person_keypoints.json",
        "sha256": evaluation.coco.sha256,
        "where": "split=a<b",
        "images": 1,
        "persons": 1,
    }
    assert entry["stages"] == evaluation.to_dict()["stages"]
    assert entry["layers_db"]["depthwise1"] == {"weights": None, "kpu": None}
    assert entry["false_positives"]["kmodel"]["poses_a_photo"] == 0.15


def test_the_command_names_files_without_their_folders() -> None:
    trial = evaluate.Trial(
        "/data/my model.kmodel", Path("/data/k.json"), Path("/data/val 2017"), where="a=b", size=(320, 240), limit=3
    )
    assert trial.command() == (
        "python -m conversion evaluate 'my model.kmodel' --coco k.json --images 'val 2017' --where a=b --size 320x240 "
        "--limit 3"
    )


def test_the_plot_is_sound_and_whole(evaluation: Evaluation) -> None:
    drawn = plot.svg(evaluation)
    words = " ".join(ElementTree.fromstring(drawn).itertext())
    for word in (*KMODEL_STAGES, "AP 0.127", "-0.004", "depthwise1", "a & b.kmodel", "split=a<b"):
        assert word in words
    assert "nan" not in drawn
    assert "inf" not in drawn.replace("inf dB", "")


def test_bars_are_as_high_as_their_figures(evaluation: Evaluation) -> None:
    root = ElementTree.fromstring(plot.svg(evaluation))
    bars = {
        title.text.split(":")[0]: float(rect.get("height"))
        for rect in root.iter("{http://www.w3.org/2000/svg}rect")
        for title in rect
        if ": AP" in title.text
    }
    assert bars["kmodel"] / bars["float"] == pytest.approx(0.115 / 0.127, abs=1e-3)


def test_a_plot_of_nothing(of_floats: Evaluation) -> None:
    words = " ".join(ElementTree.fromstring(plot.svg(of_floats)).itertext())
    assert "AP 0.000" in words
    assert "SQNR" not in words


def test_no_change_has_no_sign(evaluation: Evaluation) -> None:
    same = Precision(0.1231, 0.3, 0.1, 0.2)
    unchanged = replace(evaluation, precision={"float": same, "padded": replace(same, ap=0.1227)})
    assert re.search(r"padded +0\.123 +0\.000 ", text(unchanged, 80))
    assert ">-0.000<" not in plot.svg(unchanged)


def text(evaluation: Evaluation, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    for table in tables.tables(evaluation):
        console.print(table)
    return console.file.getvalue()


def test_tables_fit_80_columns(evaluation: Evaluation) -> None:
    shown = text(evaluation, 80)
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert re.search(r"kmodel\+integer +0\.111 +-0\.004 +0\.340", shown)
    assert re.search(r"SQNR of head offset +23\.5 dB", shown)
    assert re.search(r"displacement, median +0\.31 px", shown)
    assert re.search(r"displacement, 90th percentile +0\.70 px \(0\.58 to 0\.93\)", shown)
    assert re.search(r"kmodel +3 +0\.15 +2", shown)
    assert "24 photos of one person" in shown


def test_tables_of_floats_are_the_waterfall_alone(of_floats: Evaluation) -> None:
    assert len(tables.tables(of_floats)) == 1
    assert "kmodel" not in text(of_floats, 80)


def test_json_and_plot_are_written_side_by_side(evaluation: Evaluation, tmp_path: Path) -> None:
    drawn = evaluate.write(evaluation, tmp_path / "out" / "figures.json")
    assert drawn == tmp_path / "out" / "figures.svg"
    assert json.loads((tmp_path / "out" / "figures.json").read_text()) == evaluation.to_dict()
    assert drawn.read_text() == plot.svg(evaluation)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        evaluate.write(evaluation, tmp_path / "file" / "figures.json")

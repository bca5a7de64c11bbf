"""Noise sums and keypoint displacement, on heads whose differences are known."""

import math

import numpy as np
import pytest

from conversion import metrics, network
from conversion.evaluation import displacement
from conversion.evaluation.displacement import Displacement
from conversion.metrics import Noise

ROWS, COLUMNS = 4, 5


def heads(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        head.name: random.normal(-4, 8, (head.channels, ROWS, COLUMNS)).astype(np.float32) for head in network.HEADS
    }


def test_sums_over_photos_are_the_pooled_sqnr() -> None:
    references, others = [heads(seed) for seed in (1, 2, 3)], [heads(seed) for seed in (4, 5, 6)]
    pooled = metrics.sqnr_db(stacked(references), stacked(others))
    totals = [metrics.noise_of_heads(reference, other) for reference, other in zip(references, others, strict=True)]
    for name, value in pooled.items():
        assert sum((total[name] for total in totals), Noise()).db == pytest.approx(value)


def stacked(photos: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack([photo[name] for photo in photos]) for name in network.HEAD_NAMES}


def test_no_noise_and_no_signal() -> None:
    assert Noise(1.0, 0.0).db == math.inf
    assert Noise(0.0, 1.0).db == -math.inf
    assert Noise(1000.0, 10.0).db == pytest.approx(20)


def quiet() -> dict[str, np.ndarray]:
    """Heads that see every part in cell (1, 2), surely, at that cell's pixel."""
    made = {head.name: np.zeros((head.channels, ROWS, COLUMNS), np.float32) for head in network.HEADS}
    made["heatmap"][:] = -5
    made["heatmap"][:, 1, 2] = 3
    return made


def test_offsets_that_differ_move_keypoints() -> None:
    other = quiet()
    other["offset"][:17, 1, 2], other["offset"][17:, 1, 2] = 3, 4
    assert displacement.pooled([displacement.moved(quiet(), other)]) == Displacement(
        17, 5.0, 5.0, 0.0, 0, 5.0, 5.0, (5.0, 5.0)
    )


def test_another_cell_is_a_flip_even_if_it_points_to_the_same_place() -> None:
    other = quiet()
    other["heatmap"][:2, 1, 3] = 4
    other["offset"][17:19, 1, 3] = -16
    assert displacement.pooled([displacement.moved(quiet(), other)]) == Displacement(
        17, 0.0, 0.0, 2 / 17, 0, 0.0, 0.0, (0.0, 0.0)
    )


def test_only_keypoints_that_the_reference_is_sure_of_count() -> None:
    reference, other = quiet(), quiet()
    reference["heatmap"][5:, 1, 2] = 0.0  # exactly 0.5
    other["heatmap"][:] = -5
    other["heatmap"][:, 3, 2] = 9
    result = displacement.pooled([displacement.moved(reference, other)])
    assert result == Displacement(5, 32.0, 32.0, 1.0, 0, 32.0, 32.0, (32.0, 32.0))


def test_photos_are_pooled() -> None:
    far = quiet()
    far["offset"][0, 1, 2] = 34
    moves = [displacement.moved(quiet(), quiet()), displacement.moved(quiet(), far)]
    result = displacement.pooled(moves)
    assert (result.keypoints, result.median) == (34, 0.0)
    assert displacement.pooled([moves[1]]).p90 == 0.0
    assert displacement.pooled([]) == Displacement(0, None, None, None, 0, None, None, None)


def test_the_interval_holds_what_draws_of_the_photos_give() -> None:
    """One photo of four moves by 7 px; about 316 of 1000 draws have none of it (0.75^4)."""
    far = quiet()
    far["offset"][:17, 1, 2] = 7
    result = displacement.pooled([displacement.moved(quiet(), heads) for heads in (quiet(), far, quiet(), quiet())])
    assert (result.p90, result.p90_interval) == (7.0, (0.0, 7.0))


def test_draws_without_a_sure_keypoint_say_nothing() -> None:
    other = quiet()
    other["offset"][:17, 1, 2] = 2
    nothing = np.empty((0, 2))
    assert displacement.pooled([nothing, displacement.moved(quiet(), other), nothing]).p90_interval == (2.0, 2.0)


def test_a_jump_to_another_maximum_is_counted_apart() -> None:
    """Two cells and a bit further, by 3 of 17 parts; the others move by 1 px."""
    other = quiet()
    other["offset"][:17, 1, 2] = 1
    other["heatmap"][:3, 3, 2] = 9
    other["offset"][:3, 3, 2] = 0.5
    result = displacement.pooled([displacement.moved(quiet(), other)])
    assert result == Displacement(17, 1.0, 32.5, 3 / 17, 3, 1.0, 1.0, (32.5, 32.5))


def test_nothing_but_jumps_has_no_steady_figures() -> None:
    other = quiet()
    other["heatmap"][:, 3, 4] = 9
    result = displacement.pooled([displacement.moved(quiet(), other)])
    assert (result.jumps, result.steady_median, result.steady_p90) == (17, None, None)
    assert result.median == pytest.approx(np.hypot(32, 32))

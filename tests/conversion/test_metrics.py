"""SQNR as the project defines it."""

import numpy as np
import pytest

from conversion import metrics


def test_a_tenth_of_noise_is_20_db() -> None:
    reference = np.array([3.0, -4.0])
    assert metrics.sqnr_db({"offset": reference}, {"offset": reference * 1.1})["offset"] == pytest.approx(20)


def test_it_is_pooled_not_averaged() -> None:
    reference = np.array([[100.0], [1.0]])
    quantised = reference + np.array([[1.0], [1.0]])
    expected = 10 * np.log10(10_001 / 2)
    assert metrics.sqnr_db({"offset": reference}, {"offset": quantised})["offset"] == pytest.approx(expected)


def test_heatmap_logits_below_the_floor_do_not_count() -> None:
    reference, quantised = np.array([-30.0, 2.0]), np.array([-11.0, 2.0])
    assert metrics.sqnr_db({"heatmap": reference}, {"heatmap": quantised})["heatmap"] == float("inf")
    assert metrics.sqnr_db({"offset": reference}, {"offset": quantised})["offset"] < 5

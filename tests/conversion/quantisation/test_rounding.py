"""Codes of dense and depthwise layers: on nncase's lattice, and better than the nearest ones where it counts."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion.quantisation import depthwise_rounding, rounding
from tests.conversion.quantisation import naive_rounding

TAPS = 9
NO_LEAST = 1e-12


def problem(seed: int, inputs: int, channels: int, correlation: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights [K, C] and the measure [K, K] of inputs that vary together."""
    random = np.random.default_rng(seed)
    common = random.normal(0, 1, (4 * inputs, 1)) * correlation
    values = common + random.normal(0, 1 - 0.9 * correlation, (4 * inputs, inputs))
    return random.normal(0, 1, (inputs, channels)), values.T @ values / len(values) + 1e-3 * np.eye(inputs)


def loss(weights: np.ndarray, metric: np.ndarray, codes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """What the layer's error costs, by channel; weights and codes [K, C]."""
    error = codes * scale - weights
    return np.einsum("kc,kl,lc->c", error, metric, error)


def nearest(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Plain rounding at the scale that just holds the largest weight."""
    scale = np.where(weights > 0, weights / 127, weights / -128).max(0)
    return np.clip(np.rint(weights / scale), -128, 127), scale


problems = st.builds(
    problem, st.integers(0, 10**6), st.integers(2, 70), st.integers(1, 6), st.sampled_from((0.0, 0.5, 0.99))
)


@given(problems)
def test_dense_codes_are_on_nncase_s_lattice(given_problem: tuple[np.ndarray, np.ndarray]) -> None:
    codes, scale = rounding.best_codes(*given_problem, NO_LEAST)
    assert (codes == np.rint(codes)).all()
    assert codes.min() >= -128
    assert codes.max() <= 127
    assert ((codes == 127) | (codes == -128)).any(0).all(), "nncase takes the scale from a code at an end"
    assert (scale > 0).all()


@given(problems)
def test_dense_codes_cost_no_more_than_the_nearest(given_problem: tuple[np.ndarray, np.ndarray]) -> None:
    weights, metric = given_problem
    ours = loss(weights, metric, *rounding.best_codes(weights, metric, NO_LEAST))
    plain = loss(weights, metric, *nearest(weights))
    # Descent is a heuristic: now and then a channel is a little worse, but never the layer as a whole by much.
    assert ours.sum() <= 1.05 * plain.sum()


# Fewer inputs than a block of the real one, just as many, one more, and several blocks.
@pytest.mark.parametrize("inputs", [1, 2, 9, 31, 32, 33, 64, 65, 100])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.99])
def test_dense_codes_are_those_of_a_plain_loop(inputs: int, correlation: float) -> None:
    weights, metric = problem(inputs, inputs, 5, correlation)
    codes, scale = rounding.best_codes(weights, metric, NO_LEAST)
    expected, expected_scale = naive_rounding.dense(weights, metric, NO_LEAST)
    assert (codes == expected).all()
    assert scale == pytest.approx(expected_scale, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_dense_codes_near_nncase_s_least_scale_are_those_of_a_plain_loop(seed: int) -> None:
    """Some channels lie below it at every share, some at the smaller ones, some at none."""
    weights, metric = problem(seed, 40, 6, 0.5)
    least = float(np.median(nearest(weights)[1]))
    codes, scale = rounding.best_codes(weights, metric, least)
    expected, expected_scale = naive_rounding.dense(weights, metric, least)
    assert (codes == expected).all()
    assert scale == pytest.approx(expected_scale, rel=1e-12)
    assert scale.min() == least < scale.max()


def test_where_inputs_vary_together_errors_are_made_to_cancel() -> None:
    weights, metric = problem(1, 64, 32, 0.99)
    ours = loss(weights, metric, *rounding.best_codes(weights, metric, NO_LEAST)).sum()
    assert ours < loss(weights, metric, *nearest(weights)).sum() / 5


def test_two_weights_get_the_best_of_all_codes_near_them() -> None:
    metric = np.array([[1.0, 0.95], [0.95, 1.0]])
    weights = np.array([[1.0], [0.3537]])
    codes, scale = rounding.best_codes(weights, metric, NO_LEAST)
    near = [
        np.array([[127.0], [code + step]])
        for share, step in product((1.0, 0.94, 0.88, 0.82, 0.76), range(-3, 4))
        for code in [np.rint(weights[1, 0] / (share / 127))]
    ]
    shares = [share for share in (1.0, 0.94, 0.88, 0.82, 0.76) for _ in range(7)]
    best = min(
        loss(weights, metric, candidate, np.array([share / 127]))[0]
        for candidate, share in zip(near, shares, strict=True)
    )
    assert loss(weights, metric, codes, scale)[0] == pytest.approx(best)


def test_at_nncase_s_least_scale_no_code_needs_to_be_at_an_end() -> None:
    weights, metric = np.array([[0.003, 0.5], [-0.002, 0.1]]), np.eye(2)
    codes, scale = rounding.best_codes(weights, metric, 0.0001)
    assert scale[0] == 0.0001
    assert codes[:, 0].tolist() == [30, -20]
    assert 127 in codes[:, 1]


def test_a_channel_of_zeros_stays_zero() -> None:
    codes, scale = rounding.best_codes(np.zeros((3, 2)), np.eye(3), 1e-4)
    assert not codes.any()
    assert (scale == 1e-4).all()


def depthwise_problem(seed: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    values = random.normal(0, 1, (channels, 60, 1)) + random.normal(0, 0.3, (channels, 60, TAPS))
    return random.normal(0, 1, (channels, TAPS)), values.transpose(0, 2, 1) @ values / 60 + 0.01 * np.eye(TAPS)


depthwise_problems = st.builds(depthwise_problem, st.integers(0, 10**6), st.integers(1, 5))


@given(depthwise_problems)
def test_depthwise_codes_are_on_nncase_s_lattice(given_problem: tuple[np.ndarray, np.ndarray]) -> None:
    codes, _ = depthwise_rounding.best_codes(*given_problem, NO_LEAST)
    assert (codes == np.rint(codes)).all()
    assert codes.min() >= -128
    assert codes.max() <= 127
    assert ((codes == 127) | (codes == -128)).any(1).all()


@given(depthwise_problems)
def test_no_single_or_paired_step_improves_depthwise_codes(given_problem: tuple[np.ndarray, np.ndarray]) -> None:
    weights, metric = given_problem
    codes, scale = depthwise_rounding.best_codes(weights, metric, NO_LEAST)
    for channel in range(len(weights)):
        own = weights[channel][:, None]

        def cost(changed: np.ndarray, own: np.ndarray = own, channel: int = channel) -> float:
            return float(loss(own, metric[channel], changed[:, None], scale[channel])[0])

        found = cost(codes[channel])
        moves = [np.eye(TAPS)[up] - np.eye(TAPS)[down] for up, down in permutations(range(TAPS), 2)]
        moves += [sign * unit for sign in (1, -1) for unit in np.eye(TAPS)]
        # The code at the end of the range must stay there: moves of it do not count.
        fixed = np.abs(codes[channel] + 0.5) == 127.5
        for move in moves:
            changed = codes[channel] + move
            if not (move[fixed].any() or changed.max() > 127 or changed.min() < -128):
                assert cost(changed) >= found - 1e-9


@pytest.mark.parametrize(("seed", "least_share"), [(0, 0.0), (1, 0.0), (2, 0.6), (3, 1.0)])
def test_depthwise_codes_are_those_of_a_plain_loop(seed: int, least_share: float) -> None:
    """With nncase's least scale out of reach, and in reach of some channels."""
    weights, metrics = depthwise_problem(seed, 3)
    least = max(float(np.median(nearest(weights.T)[1])) * least_share, NO_LEAST)
    codes, scale = depthwise_rounding.best_codes(weights, metrics, least)
    expected, expected_scale = naive_rounding.depthwise(weights, metrics, least)
    assert (codes == expected).all()
    assert scale == pytest.approx(expected_scale, rel=1e-12)


def test_depthwise_codes_beat_the_nearest() -> None:
    weights, metric = depthwise_problem(3, 200)
    codes, scale = depthwise_rounding.best_codes(weights, metric, NO_LEAST)
    plain_codes, plain_scale = nearest(weights.T)
    ours = sum(loss(weights[[c]].T, metric[c], codes[[c]].T, scale[[c]])[0] for c in range(200))
    plain = sum(loss(weights[[c]].T, metric[c], plain_codes[:, [c]], plain_scale[[c]])[0] for c in range(200))
    assert ours < plain / 3

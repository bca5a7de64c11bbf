"""The facts of a finished conversion as (name, text) pairs, for the terminal and for the report."""

from __future__ import annotations

from conversion import memory_budget
from conversion.kpu import time
from conversion.memory_budget import MIB
from conversion.pipeline import Kmodel
from conversion.printing import counted
from conversion.report.tables import layer_name
from conversion.tensorflow.proof_result import TFLITE_TOLERANCE, Differences, Proof

Facts = list[tuple[str, str]]


def facts(kmodel: Kmodel) -> Facts:
    """What a user wants to know at the end, a pair a line, plain text."""
    return [*_what(kmodel.card), *_cost(kmodel), *_quality(kmodel.card), *_proofs(kmodel), *_fits(kmodel.card)]


def _what(card: dict) -> Facts:
    entry, source, grid = card["kmodel"], card["source"], card["heads"][0]
    known = f"known: {source['name']}" if source["name"] != "unknown" else "unknown, see the card for its sha256"
    return [
        ("kmodel", f"V{entry['version']}, {entry['bytes']:,} bytes, sha256 {entry['sha256']}"),
        ("weights", f"{source['form']}, {known}"),
        ("input", f"{card['input']['width']}x{card['input']['height']} RGB, heads {grid['width']}x{grid['height']}"),
    ]


def _cost(kmodel: Kmodel) -> Facts:
    memory, macs, expected = kmodel.card["memory"], kmodel.card["macs"], kmodel.card["time"]
    return [
        ("KPU RAM", f"{memory['kpu_ram_bytes'] // 1024} of 2048 KiB, {kmodel.card['layers']} layers{_splits(kmodel)}"),
        ("main memory", f"{memory['main_memory_bytes']:,} bytes for the heads"),
        ("MACs", f"{macs['useful'] / 1e6:.1f} M useful, {macs['executed'] / 1e6:.1f} M executed"),
        ("KPU time", _time(expected)),
    ]


def _time(expected: dict) -> str:
    total, copy = (f"{expected[name] / 1000:.1f} ms" for name in ("total_us", "copy_us"))
    return (
        f"{total} a picture, {copy} of them to copy the heads out; estimated from published layer times, "
        f"±{time.ERROR:.0%}, KPU at {expected['kpu_clock_hz'] // 1_000_000} MHz"
    )


def _splits(kmodel: Kmodel) -> str:
    body = len(kmodel.compiled.network.body)
    return "".join(
        f", {layer_name(number, body)} in {parts} parts" for number, parts in kmodel.plan.split_layers.items()
    )


def _quality(card: dict) -> Facts:
    quantisation, calibration = card["quantisation"], card["calibration"]
    figures = ", ".join(f"{name} {value:.1f} dB" for name, value in quantisation["sqnr_db"].items())
    rounding = f"{quantisation['recipe']}, from {counted(calibration['count'], 'photo')}: {calibration['photos']}"
    return [
        ("rounding", rounding),
        ("SQNR", f"{figures} (kmodel against float, {counted(quantisation['photos'], 'photo')})"),
    ]


def _proofs(kmodel: Kmodel) -> Facts:
    proof, agreement = kmodel.compiled.proof, kmodel.compiled.agreement
    return [
        ("proof", _published(proof)),
        ("proof", f"TFLite file = ours, {_differences(proof.tflite)} (allowed {TFLITE_TOLERANCE:g})"),
        *_codes(kmodel.compiled.codes),
        ("proof", f"KPU simulator = nncase's, {agreement.values:,} bytes compared at {agreement.size}, none differs"),
    ]


def _codes(codes: int | None) -> Facts:
    return [] if codes is None else [("proof", f"weights in the kmodel = those chosen, {codes:,} codes compared")]


def _published(proof: Proof) -> str:
    if proof.published:
        return f"published network = ours, {_differences(proof.published)} (allowed {proof.tolerance:g})"
    figures = (
        f"{', '.join(f'{name} {value:.1f} dB' for name, value in heads.items())} at {size}"
        for size, heads in proof.published_db.items()
    )
    return f"published quantised network against ours in float: {'; '.join(figures)}"


def _differences(proof: dict[str, Differences]) -> str:
    return ", ".join(f"greatest difference {max(heads.values()):.2g} at {size}" for size, heads in proof.items())


def _fits(card: dict) -> Facts:
    fits = memory_budget.fits(card["kmodel"]["bytes"], card["memory"]["main_memory_bytes"])
    texts = [
        f"{fit.build}: {'yes' if fit.fits else 'NO'}, {fit.needed / MIB:.1f} of {fit.free / MIB:.1f} MiB"
        for fit in fits
    ]
    return [("MaixPy", f"{'; '.join(texts)} (with QVGA camera and LCD)")]

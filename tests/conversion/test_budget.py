"""Memory figures: one file of them, of real images, that host, firmware and virtual board agree with."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversion import memory_budget
from tests.firmware.app.board import Board

KIB = 1024

with Board().modules():
    MEMORY = importlib.import_module("pose_memory")


def test_what_real_images_leave() -> None:
    free = {name: build.free_bytes // KIB for name, build in memory_budget.BUILDS.items()}
    assert free == {"minimum": 4776, "openmv_v4": 3912, "full": 2532, "lvgl": 2344}
    assert all(len(build.image_sha256) == 64 for build in memory_budget.BUILDS.values())


def test_the_default_model_fits_everywhere() -> None:
    fits = memory_budget.fits(1_375_888, 34_504)
    assert [fit.build for fit in fits] == list(memory_budget.BUILDS)
    assert all(fit.fits and fit.needed // KIB == 1902 for fit in fits)
    assert not any(fit.fits for fit in memory_budget.fits(4_900_000, 34_504))


def test_the_firmware_counts_with_the_same_figures() -> None:
    with Board().modules():
        memory = importlib.import_module("pose_memory")
        assert memory.LOADER_BYTES == memory_budget.LOADER_BYTES
        assert memory.CAMERA_BYTES == memory_budget.CAMERA_BYTES == 320 * 240 * 5
        assert memory.HEAP_SPARE == memory_budget.HEAP_SPARE_BYTES
        assert memory.HEAP_IN_USE == memory_budget.HEAP_IN_USE_BYTES
    assert memory_budget.LCD_BYTES == 320 * 240 * 2


@pytest.mark.parametrize("build", memory_budget.BUILDS.values(), ids=lambda build: build.name)
def test_image_heap_and_rest_are_the_whole_memory(build: memory_budget.Build) -> None:
    assert (
        build.image_bytes + memory_budget.MICROPYTHON_HEAP_BYTES + build.free_bytes == memory_budget.GENERAL_RAM_BYTES
    )
    assert build.image_bytes > 500 * KIB


@given(*[st.tuples(st.integers(8, 800), st.integers(8, 800))] * 2)
def test_the_firmware_scales_to_the_same_size(picture: tuple[int, int], lcd: tuple[int, int]) -> None:
    copy = memory_budget.lcd_copy(picture, lcd, 1 << 20)
    assert ((copy.width, copy.height) if copy else picture) == MEMORY.scaled(picture, lcd)


def test_a_copy_of_the_lcds_size_is_counted_in_micropythons_heap() -> None:
    assert memory_budget.lcd_copy((320, 240), (320, 240), 0) is None
    stick = memory_budget.lcd_copy((320, 240), (240, 135), 512 * KIB)
    assert stick == memory_budget.LcdCopy(180, 135, fits=True)
    assert stick.bytes == 48_600
    assert not memory_budget.lcd_copy((320, 240), (480, 320), 512 * KIB).fits
    assert memory_budget.lcd_copy((320, 240), (480, 320), 768 * KIB).fits

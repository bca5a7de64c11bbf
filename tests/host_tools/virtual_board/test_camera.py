"""What the camera sees, and how its frames come about."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conversion import memory_budget, photos
from conversion.errors import PhotoError
from conversion.test_card import planes_of
from host_tools.errors import BoardError
from host_tools.virtual_board import pixels
from host_tools.virtual_board.camera import PAN_FRAMES, Lying, PanAndZoom, Photo, look_at, mounted
from host_tools.virtual_board.image_sensor import ImageSensor, NotReadyError
from host_tools.virtual_board.memory import OutOfMemoryError, SystemHeap


def heap() -> SystemHeap:
    return SystemHeap(memory_budget.MINIMUM.image_bytes)


def ready(kind: str, photo: Image.Image) -> ImageSensor:
    sensor = ImageSensor(kind, Photo(photo))
    memory = heap()
    assert sensor.reset(memory, False)
    sensor.set_size(memory, 320, 240)
    return sensor


def test_a_photo_is_fitted_as_the_simulator_fits_it(noise_photo: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    noise_photo.resize((500, 300)).save(path)
    expected = photos.letterbox(photos.read(path), 320, 240)
    assert (look_at(path).picture(7, 320, 240) == expected).all()


def test_a_folder_gives_its_photos_in_turn(tmp_path: Path) -> None:
    for number, colour in enumerate(("red", "lime", "blue")):
        Image.new("RGB", (32, 24), colour).save(tmp_path / f"{number}.png")
    scene = look_at(tmp_path)
    seen = [tuple(scene.picture(number, 32, 24)[0, 0]) for number in range(4)]
    assert seen == [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 0)]


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_an_animation_moves(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (32, 24), colour) for colour in ("black", "white")]
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=100, lossless=True)
    scene = look_at(path)
    assert [int(scene.picture(number, 32, 24).max()) for number in range(4)] == [0, 255, 0, 255]


def test_a_video_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "a.MP4").touch()
    with pytest.raises(BoardError, match=r"videos are not read; make a folder of its frames: `ffmpeg -i a.MP4"):
        look_at(tmp_path / "a.MP4")


def test_nothing_there_and_damage_are_said(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="no such photo or folder"):
        look_at(tmp_path / "none.png")
    with pytest.raises(PhotoError, match="no photos in this folder"):
        look_at(tmp_path)
    (tmp_path / "broken.png").write_bytes(b"PNG?")
    with pytest.raises(PhotoError, match="not a readable photo"):
        look_at(tmp_path / "broken.png")


def test_a_pan_fills_the_frame_moves_and_begins_anew() -> None:
    photo = Image.fromarray(np.random.default_rng(2).integers(1, 256, (300, 500, 3), np.uint8))
    scene = PanAndZoom(photo)
    first, quarter = scene.picture(0, 320, 240), scene.picture(PAN_FRAMES // 4, 320, 240)
    assert first.shape == (240, 320, 3)
    assert first.min() > 0
    assert quarter.min() > 0
    assert (first != quarter).mean() > 0.5
    assert (first == scene.picture(PAN_FRAMES, 320, 240)).all()


def test_a_camera_of_a_turned_kmodel_lies(noise_photo: Image.Image) -> None:
    scene = Photo(noise_photo)
    turned = mounted(scene, {"input": {"width": 320, "height": 240, "turned": 1}})
    picture = turned.picture(0, 320, 240)
    assert picture.shape == (240, 320, 3)
    assert (picture == scene.picture(0, 240, 320).transpose(1, 0, 2)).all()
    assert mounted(scene, {"input": {"width": 320, "height": 240}}) is scene


def test_planes_have_eight_bits_and_the_picture_five_and_six(noise_photo: Image.Image) -> None:
    sensor = ready("ov2640", noise_photo)
    assert sensor.snapshot() == (320, 240, 0)
    rgb = np.asarray(noise_photo)
    assert (sensor.planes[0] == photos.planes(rgb)).all()
    assert (planes_of(sensor.words[0]) >> 3 == sensor.planes[0] >> 3).all()
    assert (planes_of(sensor.words[0]) != sensor.planes[0]).any()


def test_planes_can_be_made_of_the_picture(noise_photo: Image.Image) -> None:
    sensor = ready("ov2640", noise_photo)
    sensor.snapshot()
    sensor.derive_planes(0, pixels.stored(sensor.words[0]))
    assert (sensor.planes[0] == planes_of(sensor.words[0])).all()


@pytest.mark.parametrize(("kind", "place"), [("gc0328", (48, 16)), ("ov2640", (0, 0)), ("ov7740", (0, 0))])
def test_only_one_driver_moves_the_window(noise_photo: Image.Image, kind: str, place: tuple[int, int]) -> None:
    sensor = ready(kind, noise_photo)
    sensor.set_window(48, 16, 224, 208)
    assert sensor.snapshot() == (224, 208, 0)
    x, y = place
    assert (sensor.planes[0] == photos.planes(np.asarray(noise_photo))[:, y : y + 208, x : x + 224]).all()


def test_flips_turn_the_whole_frame_before_the_window(noise_photo: Image.Image) -> None:
    sensor = ready("ov2640", noise_photo)
    sensor.flipped = sensor.mirrored = True
    sensor.set_window(0, 0, 8, 8)
    sensor.snapshot()
    assert (sensor.planes[0] == photos.planes(np.asarray(noise_photo)[::-1, ::-1])[:, :8, :8]).all()


@pytest.mark.parametrize(("turns", "lcd_behind"), [(-1, True), (1, False)])
def test_a_board_turned_clockwise_needs_one_flag_and_shows_a_mirror_image(
    noise_photo: Image.Image, turns: int, lcd_behind: bool
) -> None:
    """Clockwise as one looks at the LCD: what the camera sees turns the other way, as it looks where the LCD looks, or
    the opposite way. `turns` are quarters of the board, counterclockwise as the camera looks."""
    scene = np.asarray(noise_photo.resize((240, 320)))
    sensor = ready("ov2640", Image.fromarray(np.rot90(scene, -turns)))
    sensor.flipped, sensor.mirrored = lcd_behind, not lcd_behind
    sensor.snapshot()
    in_memory = np.moveaxis(sensor.planes[0], 0, -1)
    lying = Lying(Photo(noise_photo.resize((240, 320)))).picture(0, 320, 240)
    assert (in_memory == lying).all()
    on_the_lcd = np.rot90(in_memory, -1)
    assert (on_the_lcd == scene[:, ::-1]).all()


def test_two_buffers_take_turns_and_cost_twice(noise_photo: Image.Image) -> None:
    sensor, memory = ImageSensor("ov2640", Photo(noise_photo)), heap()
    free = memory.free
    sensor.reset(memory, False)
    sensor.set_size(memory, 320, 240)
    assert memory.free == free - 384_000
    sensor.reset(memory, True)
    sensor.set_size(memory, 320, 240)
    assert memory.free == free - 768_000
    assert [sensor.snapshot()[2] for _ in range(3)] == [1, 0, 1]


def test_without_room_for_frames_none_is_taken(noise_photo: Image.Image) -> None:
    sensor, memory = ImageSensor("ov2640", Photo(noise_photo)), heap()
    memory.take(memory.free - 200_000)
    sensor.reset(memory, False)
    with pytest.raises(OutOfMemoryError):
        sensor.set_size(memory, 320, 240)
    assert memory.free == 200_000
    with pytest.raises(NotReadyError):
        sensor.snapshot()


def test_no_frames_before_the_sensor_is_set_up(noise_photo: Image.Image) -> None:
    with pytest.raises(NotReadyError):
        ImageSensor("ov2640", Photo(noise_photo)).snapshot()
    assert not ImageSensor(None, Photo(noise_photo)).reset(heap(), False)

"""Camera, images and LCD as a program meets them: MaixPy's signatures, texts of errors, and traps."""

import zlib

import numpy as np
import pytest
from PIL import Image

from host_tools.virtual_board import pixels
from tests.host_tools.virtual_board.shell import CAMERA, Shell
from tests.jumping import VirtualBoard


class TestSensor:
    @pytest.mark.parametrize(
        ("window", "error"),
        [
            ("(100, 100)", "value must be multiple of 8"),
            ("(328, 240)", "The selected window is outside the bounds of the frame"),
            ("(200, 0, 128, 128)", "The selected window is outside the bounds of the frame"),
            ("(0, 0)", "The selected window is too small"),
            ("(1, 2, 3)", "The tuple/list must either be (x, y, w, h) or (w, h)"),
        ],
    )
    def test_windows(self, shell: Shell, window: str, error: str) -> None:
        shell.run(CAMERA)
        assert shell.raises(f"sensor.set_windowing({window})") == f"ValueError: {error}"

    def test_it_says_what_it_found(self, shell: Shell) -> None:
        assert shell.run("import sensor\nsensor.reset()\nprint(hex(sensor.get_id()))") == (
            "init i2c:2 freq:100000\n[MAIXPY]: find ov2640\n[MAIXPY]: find ov sensor\n0x2642"
        )

    def test_no_frames_before_it_is_set_up(self, shell: Shell) -> None:
        assert shell.raises("import sensor\nsensor.reset()\nsensor.snapshot()") == "RuntimeError: Not init!"
        assert shell.raises("sensor.set_pixformat(sensor.GRAYSCALE)") == "OSError: Pixel format is not supported!"
        assert "unexpected keyword" in shell.raises("sensor.reset(frequency=1)")

    def test_a_frame_is_the_cameras_own_memory(self, shell: Shell) -> None:
        source = f"""
{CAMERA}
a = sensor.snapshot()
a.to_bytes()[0:4] = b'\\x12\\x34\\x56\\x78'
first = a.get_pixel(0, 0, rgbtuple=False), a.get_pixel(1, 0, rgbtuple=False)
b = sensor.snapshot()
print(first == (0x3412, 0x7856), bytes(a.to_bytes()[:4]) == bytes(b.to_bytes()[:4]) != b'\\x12\\x34\\x56\\x78')
"""
        assert shell.run(source).split("\n")[-1] == "True True"

    def test_pixels_are_the_photos(self, shell: Shell, noise_photo: Image.Image) -> None:
        words = pixels.to_words(np.asarray(noise_photo))
        source = CAMERA + "import ubinascii\nprint(ubinascii.crc32(sensor.snapshot().to_bytes()))"
        assert int(shell.run(source).split("\n")[-1]) == zlib.crc32(pixels.stored(words))
        red, green, blue = pixels.to_rgb(words)[5, 9]
        assert shell.run("print(sensor.snapshot().get_pixel(9, 5))") == f"({red}, {green}, {blue})"

    def test_frames_cost_no_heap_of_micropythons(self, shell: Shell) -> None:
        source = f"""
import gc
{CAMERA}
gc.collect()
before = gc.mem_free()
img = sensor.snapshot()
view = img.to_bytes()
gc.collect()
print(before - gc.mem_free())
"""
        assert int(shell.run(source).split("\n")[-1]) < 1500


class TestImage:
    def test_pixels_lie_in_micropythons_heap(self) -> None:
        source = """
import gc, image
def cost(make):
    gc.collect()
    before = gc.mem_free()
    kept = make()
    gc.collect()
    return before - gc.mem_free(), kept
size, img = cost(lambda: image.Image(size=(224, 224)))
planes, _ = cost(img.pix_to_ai)
print(size, planes)
"""
        with VirtualBoard(files={"main.py": ""}) as board:
            size, planes = map(int, Shell(board).run(source).split())
        assert 224 * 224 * 2 <= size < 224 * 224 * 2 + 1500
        assert 172_032 <= planes < 172_032 + 1500

    def test_too_large_a_picture(self, shell: Shell) -> None:
        assert shell.raises("import image\nimage.Image(size=(640, 480))").startswith(
            "MemoryError: Out of normal MicroPython Heap Memory!"
        )

    def test_new_pictures_hold_anything(self, shell: Shell) -> None:
        assert shell.run("import image\ni = image.Image(size=(8, 8))\nprint(i[0] != (0, 0, 0), i.clear()[0])") == (
            "True (0, 0, 0)"
        )

    def test_colours(self, shell: Shell) -> None:
        source = """
import image, lcd
i = image.Image(size=(8, 8)).clear()
i.set_pixel(0, 0, (255, 0, 0)).set_pixel(1, 0, lcd.RED).set_pixel((2, 0), color=(0, 255, 255)).set_pixel(3, 0)
print([i.get_pixel(n, 0) for n in range(4)], bytes(i.to_bytes()[:2]))
"""
        assert shell.run(source) == (r"[(255, 0, 0), (255, 0, 0), (0, 255, 255), (255, 255, 255)] b'\xf8\x00'")

    def test_shapes_are_drawn_where_asked(self, shell: Shell) -> None:
        source = """
import image
i = image.Image(size=(40, 30)).clear()
i.draw_line(2, 3, 8, 3, color=(255, 255, 255))
i.draw_rectangle((10, 10, 5, 5), (255, 255, 255), 1, True)
i.draw_circle(25, 15, 3, color=-1, fill=True)
i.draw_cross((35, 25), size=2)
i.draw_string(1, 20, 'A', color=(255, 255, 255))
lit = [(x, y) for y in range(30) for x in range(40) if i.get_pixel(x, y)[0]]
print([p for p in lit if p[1] < 9])
print(len([p for p in lit if 10 <= p[0] < 15 and 10 <= p[1] < 15]), (9, 10) in lit, (15, 14) in lit)
print((25, 12) in lit, (25, 18) in lit, (22, 15) in lit, (28, 15) in lit, (22, 12) in lit)
print([(33, 25) in lit, (37, 25) in lit, (35, 23) in lit, (34, 24) in lit])
print(len([p for p in lit if p[0] < 9 and p[1] > 19]) > 5)
"""
        assert shell.run(source).split("\n") == [
            str([(x, 3) for x in range(2, 9)]),
            "25 False False",
            "True True True True False",
            "[True, True, True, False]",
            "True",
        ]

    def test_what_lies_outside_is_cut_off(self, shell: Shell) -> None:
        source = """
import image
i = image.Image(size=(16, 16)).clear()
i.draw_line(-20, -20, 40, 40).draw_circle(100, 100, 5, fill=True).draw_rectangle(-5, 14, 100, 100, fill=True)
i.draw_string(12, 12, 'out').draw_string(0, -50, 'above').draw_line(0, 50, 10, 50).set_pixel(99, 99)
print(i.get_pixel(99, 0), i.get_pixel(3, 3))
"""
        assert shell.run(source) == "None (255, 255, 255)"

    def test_copies_and_cuts(self, shell: Shell) -> None:
        source = """
import image
i = image.Image(size=(8, 8)).clear()
i.set_pixel(3, 2, (255, 255, 255))
a, b = i.copy(), i.cut(2, 1, 4, 4)
i.clear()
print(a.get_pixel(3, 2), b.get_pixel(1, 1), (b.width(), b.height()), i.get_pixel(3, 2))
print(b.resize(8, 8).get_pixel(2, 2)[0] > 0, a.resize(4, 4).width())
"""
        assert shell.run(source) == "(255, 255, 255) (255, 255, 255) (4, 4) (0, 0, 0)\nTrue 4"

    def test_jpeg(self, shell: Shell) -> None:
        source = """
import image, os
i = image.Image(size=(64, 48)).clear().draw_rectangle(0, 0, 32, 48, (255, 0, 0), fill=True)
j = i.compressed(90)
print(j.format() == 5, j.size() == len(bytes(j)) < i.size(), bytes(j)[:2])
i.save('/flash/p.jpg', quality=90)
i.save('/flash/p.bmp')
for name in ('p.jpg', 'p.bmp'):
    k = image.Image('/flash/' + name)
    print(k.width(), k.height(), [abs(v - w) < 12 for v, w in zip(k.get_pixel(10, 10), (255, 0, 0))])
    os.remove('/flash/' + name)
k = image.Image(bytes(j), from_bytes=True)
print(k.size())
"""
        good = "64 48 [True, True, True]"
        assert shell.run(source) == "\n".join([r"True True b'\xff\xd8'", good, good, "6144"])
        assert shell.raises("j.draw_line(0, 0, 1, 1)") == "OSError: Image format is not supported!"
        assert shell.raises("image.Image('/flash/none.jpg')") == "OSError: [Errno 5] EIO"

    def test_an_image_has_no_length(self, shell: Shell) -> None:
        assert "has no len()" in shell.raises("import image\nlen(image.Image(size=(8, 8)))")


class TestLcd:
    def test_it_shows_the_picture(self, shell: Shell, noise_photo: Image.Image) -> None:
        shell.run(CAMERA + "import lcd\nlcd.init()\nlcd.display(sensor.snapshot())")
        assert (shell.board.lcd() == pixels.to_rgb(pixels.to_words(np.asarray(noise_photo)))).all()

    def test_smaller_pictures_stand_in_the_middle_of_black(self, shell: Shell) -> None:
        shell.run(
            "import lcd, image\nlcd.init(color=(0, 255, 0))\n"
            "lcd.display(image.Image(size=(100, 60)).clear().draw_rectangle(0, 0, 100, 60, fill=True))"
        )
        seen = shell.board.lcd()
        assert (seen[90:150, 110:210] == 255).all()
        assert seen.sum() == 100 * 60 * 3 * 255

    def test_larger_pictures_are_cut_on_all_sides(self, shell: Shell, noise_photo: Image.Image) -> None:
        shell.run(CAMERA + "import lcd\nlcd.init()\nlcd.rotation(1)\nlcd.display(sensor.snapshot())\nlcd.rotation(0)")
        # Standing on its short side the panel is 240 wide and 320 high.
        cut = pixels.to_rgb(pixels.to_words(np.asarray(noise_photo)))[:, 40:280]
        shown = np.rot90(shell.board.lcd())
        standing = np.zeros((320, 240, 3), np.uint8)
        standing[40:280] = cut
        assert (shown == standing).all() or (shown[::-1, ::-1] == standing).all()
        shell.run("lcd.init()")

    def test_with_a_place_the_rest_stays(self, shell: Shell) -> None:
        shell.run(
            "import lcd, image\nlcd.init(color=(0, 0, 255))\ni = image.Image(size=(40, 20)).clear()\n"
            "lcd.display(i, roi=(5, 5, 30, 10), oft=(300, 2))"
        )
        seen = shell.board.lcd()
        assert not seen[2:12, 300:].any()
        assert seen[..., 2].sum() == (320 * 240 - 10 * 20) * 255

    def test_turned_it_is_narrow(self, shell: Shell) -> None:
        assert (
            shell.run(
                "import lcd\nlcd.init()\nprint(lcd.width(), lcd.height(), lcd.rotation(1), lcd.width(), lcd.height())"
            )
            == "320 240 1 240 320"
        )
        assert shell.raises("lcd.rotation(4)") == "ValueError: value:[0,3]"
        shell.run("lcd.init()")

    def test_traps(self, shell: Shell) -> None:
        shell.run("import lcd\nlcd.init()\nlcd.clear(color=(255, 255, 255))")
        assert not shell.board.lcd().any()
        shell.run("lcd.clear((255, 255, 255))")
        assert (shell.board.lcd() == 255).all()
        assert shell.raises("lcd.fill_rectangle(0, 0, 320, 10, 0)") == "ValueError: arg error"
        shell.run("lcd.clear(lcd.RED)\nlcd.draw_string(0, 0, 'x' * 99, lcd.WHITE, lcd.BLUE)")
        seen = shell.board.lcd()
        assert tuple(seen[100, 100]) == (255, 0, 0)
        assert {tuple(pixel) for pixel in seen[:12].reshape(-1, 3)} == {(255, 255, 255), (0, 0, 255)}

    def test_configuration_wins_over_arguments(self) -> None:
        files = {"main.py": "", "config.json": '{"lcd": {"width": 240, "height": 240, "invert": 1, "dir": 96}}'}
        with VirtualBoard(files=files) as board:
            shell = Shell(board)
            assert shell.run("import lcd\nlcd.init(width=320)\nprint(lcd.width(), lcd.height())") == "240 240"

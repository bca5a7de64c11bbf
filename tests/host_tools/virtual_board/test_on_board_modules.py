"""MaixPy's modules on the virtual board: signatures, texts of errors, and traps, as a program meets them."""

import zlib

import numpy as np
import pytest
from PIL import Image

from conversion import photos
from conversion.kpu import Kpu
from conversion.test_card import planes_of
from host_tools.virtual_board import Hardware, VirtualBoard, pixels
from tests.host_tools.virtual_board import kmodels
from tests.host_tools.virtual_board.shell import Shell

CAMERA = "import sensor\nsensor.reset()\nsensor.set_pixformat(sensor.RGB565)\nsensor.set_framesize(sensor.QVGA)\n"
WINDOW = CAMERA + f"sensor.set_windowing(({kmodels.WIDTH}, {kmodels.HEIGHT}))\n"
LOAD = "import KPU as kpu\ntask = kpu.load(0x300000)\n"
FREE = "kpu.deinit(task)\n"


def heads_of(planes: np.ndarray, seed: int = 0) -> list[bytes]:
    """What the simulator makes of planes."""
    return [values.tobytes() for values in Kpu(kmodels.model(seed)).run(planes)[1:]]


class TestSystem:
    def test_it_says_what_it_is(self, shell: Shell) -> None:
        assert shell.run("import sys, os\nprint(sys.platform, sys.implementation.name, os.uname().machine)") == (
            "MaixPy micropython Sipeed_M1 with kendryte-k210"
        )

    def test_micropython_has_as_much_heap_as_on_the_board(self, shell: Shell) -> None:
        """-X heapsize=512k leaves 518,144 bytes; MaixPy's own start takes some, the stand-ins must not."""
        assert 508_000 < shell.board.heap_free_at_start < 518_144
        free, used = map(int, shell.run("import gc\ngc.collect()\nprint(gc.mem_free(), gc.mem_alloc())").split())
        assert used < 20_000
        assert 500_000 < free + used < 518_144

    @pytest.mark.parametrize(
        "module", ["io", "asyncio", "select", "framebuf", "_thread", "uarray", "host_tools", "_host"]
    )
    def test_it_lacks_what_the_board_lacks(self, shell: Shell, module: str) -> None:
        assert shell.raises(f"import {module}") == f"ImportError: no module named '{module}'"

    @pytest.mark.parametrize(
        "module",
        ["uio", "ustruct", "ubinascii", "ujson", "utime", "uctypes", "uhashlib", "ucollections", "array", "math"],
    )
    def test_it_has_what_the_board_has(self, shell: Shell, module: str) -> None:
        shell.run(f"import {module}")

    def test_nothing_of_the_host_can_be_reached(self, shell: Shell) -> None:
        assert shell.run("import os\nprint(os.listdir('/'))") == "['flash']"
        for path in ("/etc/hostname", "../../etc/hostname", "/flash/../../etc/hostname"):
            assert shell.raises(f"open({path!r})").startswith("OSError: ")

    def test_tracebacks_show_the_programs_own_frames(self, shell: Shell) -> None:
        _, traceback = shell.answer("import KPU\ndef f():\n    KPU.load(0)\nf()")
        assert traceback == (
            "Traceback (most recent call last):\n"
            '  File "<stdin>", line 4, in <module>\n'
            '  File "<stdin>", line 3, in f\n'
            "ValueError: [MAIXPY]kpu: model_addr must > 0 \n"
        )

    def test_heap_free_knows_of_everything(self, shell: Shell) -> None:
        source = f"""
from Maix import utils
import lcd
{CAMERA}
sensor.deinit()
lcd.deinit()
a = utils.heap_free()
lcd.init()
b = utils.heap_free()
sensor.set_framesize(sensor.QVGA)
c = utils.heap_free()
import KPU
task = KPU.load(0x300000)
d = utils.heap_free()
KPU.deinit(task)
sensor.deinit()
lcd.deinit()
print(a - b, b - c, c - d, a - utils.heap_free(), a)
"""
        lcd, camera, model, left, free = map(int, shell.run(source).split("\n")[-1].split())
        assert (lcd, camera, left) == (153_600, 384_000, 0)
        assert model == len(kmodels.kmodel()) + 448 + kmodels.model().main_memory_bytes
        assert free == shell.board.system_heap_free

    def test_flash_is_read_as_it_is(self, shell: Shell) -> None:
        data = kmodels.kmodel()
        source = "from Maix import utils\nimport ubinascii\ncrc = 0\n"
        source += f"for at in range(0, {len(data)}, 4096):\n"
        source += f"    crc = ubinascii.crc32(utils.flash_read(0x300000 + at, min(4096, {len(data)} - at)), crc)\n"
        assert int(shell.run(source + "print(crc)")) == zlib.crc32(data)
        assert shell.run("print(utils.flash_read(0xcffff0, 3))") == r"b'\xff\xff\xff'"
        assert shell.raises("utils.flash_read(0xffffff, 2)") == "OSError: [Errno 5] EIO"

    def test_pins(self, shell: Shell) -> None:
        source = """
from Maix import GPIO
from fpioa_manager import fm
fm.register(12, fm.fpioa.GPIOHS0)
fm.register(13, fm.fpioa.GPIOHS1)
led = GPIO(GPIO.GPIOHS0, GPIO.OUT)
key = GPIO(GPIO.GPIOHS1, GPIO.IN, GPIO.PULL_UP)
led.value(1)
print(key.value(), led.value())
"""
        assert shell.run(source) == "1 1"
        assert shell.board.pin(12) == 1
        shell.board.set_pin(13, 0)
        assert shell.run("led.value(0)\nprint(key.value())") == "0"
        assert (shell.board.pin(12), shell.board.pin(13)) == (0, None)
        shell.board.set_pin(13, None)
        assert shell.run("fm.register(14, fm.fpioa.GPIOHS1)") == (
            "[Warning] function is used by fm.fpioa.GPIOHS1(pin:13)"
        )
        assert "not allowed to pull" in shell.raises("GPIO(GPIO.GPIOHS2, GPIO.OUT, GPIO.PULL_UP)")

    def test_without_a_configuration_the_board_module_warns(self, shell: Shell) -> None:
        assert shell.run("from board import board_info\nprint(board_info.BOOT_KEY)") == (
            "[Warning] Not loaded from /flash/config.json to board_info.\n16"
        )

    def test_time(self, shell: Shell) -> None:
        source = "import utime\na = utime.ticks_ms()\nutime.sleep_ms(50)\nprint(utime.ticks_diff(utime.ticks_ms(), a))"
        assert 50 <= int(shell.run(source)) < 1000
        assert shell.run("import time\nc = time.clock()\nc.tick()\nprint(c.fps() >= 0, time is utime)") == "True True"

    def test_what_is_missing_says_so(self, shell: Shell) -> None:
        assert shell.raises("import machine\nmachine.Timer(0)") == (
            "NotImplementedError: machine.Timer: not on the virtual board"
        )


class TestFiles:
    def test_flash_is_flat(self, shell: Shell) -> None:
        assert shell.raises("import os\nos.mkdir('/flash/x')") == "NotImplementedError: SPIFFS not support"
        assert shell.raises("os.rmdir('/flash/x')") == "OSError: [Errno 5] EIO"
        assert "ENOENT" in shell.raises("os.chdir('/flash/x')")

    def test_a_slash_is_a_letter_of_a_name(self, shell: Shell) -> None:
        shell.run("import os\nwith open('/flash/a/b.txt', 'w') as f: f.write('x')")
        assert shell.run("print('a/b.txt' in os.listdir('/flash'), open('/flash/a/b.txt').read())") == "True x"
        assert shell.run("os.remove('/flash/a/b.txt')\nprint('a/b.txt' in os.listdir('/flash'))") == "False"

    def test_renaming_overwrites(self, shell: Shell) -> None:
        source = """
import os
for name in ('one', 'two'):
    with open(name, 'w') as f: f.write(name)
os.rename('/flash/one', '/flash/two')
print(open('two').read(), 'one' in os.listdir(), os.stat('two')[6], os.getcwd())
os.remove('two')
"""
        assert shell.run(source) == "one False 3 /flash"

    def test_errors_carry_number_and_name(self, shell: Shell) -> None:
        assert shell.raises("open('/flash/none')") == "OSError: [Errno 2] ENOENT"

    def test_listings_have_four_entries_a_file(self, shell: Shell) -> None:
        assert shell.run("import os\nprint([e for e in os.ilistdir('/flash') if e[0] == 'main.py'])") == (
            "[('main.py', 32768, 0, 5)]"
        )

    def test_its_size_is_three_mebibytes(self, shell: Shell) -> None:
        block, _, blocks, *_ = eval(shell.run("import os\nprint(os.statvfs('/flash'))"))
        assert block * blocks == 3 * 2**20


class TestKpu:
    def test_heads_are_those_of_the_simulator(self, shell: Shell, noise_photo: Image.Image) -> None:
        source = LOAD + WINDOW + "import ubinascii\nkpu.forward(task, sensor.snapshot())\n"
        source += "print([ubinascii.crc32(memoryview(kpu.get_output(task, n))) for n in (1, 2, 3, 4)])\n" + FREE
        planes = photos.planes(np.asarray(noise_photo))[:, : kmodels.HEIGHT, : kmodels.WIDTH]
        assert eval(shell.run(source).split("\n")[-1]) == [zlib.crc32(head) for head in heads_of(planes)]

    def test_a_file_is_as_good_as_flash(self, shell: Shell) -> None:
        source = """
import KPU as kpu
for path in ('small.kmodel', '/flash/small.kmodel'):
    task = kpu.load(path)
    print(task.model_path(), task.model_addr(), task.model_size())
    print(kpu.deinit(task))
"""
        size = len(kmodels.kmodel(1))
        assert shell.run(source) == f"small.kmodel None {size}\nTrue\n/flash/small.kmodel None {size}\nTrue"

    def test_output_0_holds_all_heads(self, shell: Shell) -> None:
        source = LOAD + WINDOW + "kpu.forward(task, sensor.snapshot())\nwhole = memoryview(kpu.get_output(task, 0))\n"
        for number, output in enumerate(kmodels.model().outputs[1:], start=1):
            part = f"whole[{output.address}:{output.address + output.size}]"
            source += f"print({part} == memoryview(kpu.get_output(task, {number})))\n"
        assert shell.run(source + FREE).split("\n")[-4:] == ["True"] * 4

    def test_heads_are_views_that_the_next_run_overwrites(self, shell: Shell) -> None:
        source = f"""
{LOAD}{WINDOW}
img = sensor.snapshot()
kpu.forward(task, img)
head = memoryview(kpu.get_output(task, 1))
before = bytes(head)
view = img.to_bytes()
for n in range(len(view)): view[n] = n & 255
img.pix_to_ai()
kpu.forward(task, img)
print(bytes(head) == before, bytes(head) == bytes(kpu.get_output(task, 1)))
{FREE}"""
        assert shell.run(source).split("\n")[-1] == "False True"

    def test_an_fmap_has_no_length_and_no_iteration(self, shell: Shell) -> None:
        shell.run(LOAD + WINDOW + "f = kpu.forward(task, sensor.snapshot(), 1)")
        assert shell.raises("len(f)") == "TypeError: object of type 'kpu_fmap' has no len()"
        for source in ("for x in f: pass", "list(f)", "max(f)", "tuple(f)", "sum(f)"):
            assert shell.raises(source) == "TypeError: 'kpu_fmap' object is not iterable"
        size = kmodels.model().outputs[1].size
        assert shell.run("print(f.size(), len(memoryview(f)), len(bytearray(f)), type(f[0]), type(f[:2]))") == (
            f"{size} {size} {size} <class 'int'> <class 'tuple'>"
        )
        assert shell.raises("f[::2]") == "OSError: only slices with step=1 (aka None) are supported"
        assert shell.raises(f"f[{size}]") == "IndexError: kpu_fmap index out of range"
        shell.run("f[3] = 99\nassert f[3] == memoryview(f)[3] == 99 and f[-1] == memoryview(f)[-1]\n" + FREE)

    def test_shape_of_every_output_is_that_of_the_last_layer(self, shell: Shell) -> None:
        source = LOAD + "f = kpu.get_output(task, 1)\nprint(f.w(), f.h(), f.ch())\n" + FREE
        assert shell.run(source) == f"{kmodels.WIDTH // 16} {kmodels.HEIGHT // 16} 32"

    @pytest.mark.parametrize(
        ("source", "error"),
        [
            ("kpu.load(-1)", "ValueError: [MAIXPY]kpu: model_addr must > 0 "),
            ("kpu.load('x.bin')", "ValueError: [MAIXPY]kpu: model format don't match, only supply .kmodel "),
            ("kpu.load(None)", "TypeError: [MAIXPY]kpu: only accept int or string"),
            ("kpu.load('none.kmodel')", "ValueError: [MAIXPY]kpu: load error:2005, ERR_READ_FILE: read file failed"),
            (
                "kpu.load(0x500000)",
                "ValueError: [MAIXPY]kpu: load error:2002, ERR_KMODEL_VERSION: only support kmodel V3",
            ),
            ("kpu.get_output(task, 5)", "OSError: 2001"),
            (
                "kpu.get_output(task)",
                "ValueError: [MAIXPY]kpu: get_output arg format error: get_output(task, int idx)",
            ),
            ("kpu.get_output(1, 1)", "ValueError: [MAIXPY]kpu: get_output arg format error: get_output(task, int idx)"),
            ("kpu.forward(task, sensor.snapshot(), 9)", "OSError: sipeed_kpu_get_output err"),
            ("kpu.forward(task, 5)", "ValueError: input not support"),
            ("kpu.deinit(5)", "TypeError: [MAIXPY]kpu: kpu_net type error"),
        ],
    )
    def test_errors(self, shell: Shell, source: str, error: str) -> None:
        shell.run(LOAD + WINDOW)
        try:
            assert shell.raises(source) == error
        finally:
            shell.run(FREE)

    def test_an_image_must_have_planes_and_the_models_size(self, shell: Shell) -> None:
        shell.run(LOAD + CAMERA + "import image")
        for img, said in (
            ("sensor.snapshot()", f"[MAIXPY]kpu: img w=320,h=240, but model w={kmodels.WIDTH},h={kmodels.HEIGHT}"),
            (f"image.Image(size=({kmodels.WIDTH}, {kmodels.HEIGHT}))", "[MAIXPY]kpu: pix_ai is NULL!"),
        ):
            printed, traceback = shell.answer(f"kpu.forward(task, {img})")
            assert printed.strip() == said
            assert traceback.rstrip().endswith("ValueError: [MAIXPY]kpu: check img format err!")
        shell.run(FREE)

    def test_without_a_model_forward_returns_none(self, shell: Shell) -> None:
        assert shell.run("import KPU\nprint(KPU.forward(1, 2))") == "None"

    def test_five_models_at_once(self, shell: Shell) -> None:
        shell.run("import KPU as kpu\ntasks = [kpu.load(0x300000) for _ in range(5)]")
        assert "load error:2009" in shell.raises("kpu.load(0x300000)")
        shell.run("for task in tasks: kpu.deinit(task)")

    def test_two_models_keep_their_outputs_apart(self, shell: Shell, noise_photo: Image.Image) -> None:
        source = f"""
import KPU as kpu, ubinascii
{WINDOW}
a, b = kpu.load(0x300000), kpu.load('small.kmodel')
img = sensor.snapshot()
kpu.forward(a, img)
kpu.forward(b, img)
print([ubinascii.crc32(memoryview(kpu.get_output(task, 4))) for task in (a, b)])
kpu.deinit(a)
kpu.deinit(b)
"""
        planes = photos.planes(np.asarray(noise_photo))[:, : kmodels.HEIGHT, : kmodels.WIDTH]
        expected = [zlib.crc32(heads_of(planes, seed)[3]) for seed in (0, 1)]
        assert eval(shell.run(source).split("\n")[-1]) == expected

    def test_an_image_of_ones_own_can_be_run(self, shell: Shell) -> None:
        source = f"""
{LOAD}
import image, ubinascii
img = image.Image(size=({kmodels.WIDTH}, {kmodels.HEIGHT}))
view = img.to_bytes()
for n in range(len(view)): view[n] = n * 7 & 255
img.pix_to_ai()
kpu.forward(task, img)
print(ubinascii.crc32(memoryview(kpu.get_output(task, 2))))
{FREE}"""
        data = bytes(n * 7 & 255 for n in range(2 * kmodels.WIDTH * kmodels.HEIGHT))
        planes = planes_of(pixels.words_of(data, kmodels.WIDTH, kmodels.HEIGHT))
        assert int(shell.run(source)) == zlib.crc32(heads_of(planes)[1])


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
            "init i2c2\n[MAIXPY]: find ov2640\n0x2642"
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
        assert shell.raises("image.Image('/flash/none.jpg')") == "OSError: [Errno 2] ENOENT"

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


class TestFirmwareBuilds:
    def test_a_full_build_has_less_memory_and_knows_v4(self) -> None:
        from conversion import budget

        hardware = Hardware(build=budget.BUILDS[1])
        with VirtualBoard(
            b"LDMK" + (5).to_bytes(4, "little") + bytes(60), files={"main.py": ""}, board=hardware
        ) as board:
            shell = Shell(board)
            assert "load error:2015, ERR_UNKNOWN" in shell.raises("import KPU\nKPU.load(0x300000)")
            assert int(shell.run("from Maix import utils\nprint(utils.heap_free())")) / 2**20 == pytest.approx(
                2.5, abs=0.05
            )

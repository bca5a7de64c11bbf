"""The KPU module as a program meets it: MaixPy's signatures, texts of errors, and traps."""

import zlib
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from conversion import photos
from conversion.kpu.simulator import Kpu
from conversion.test_card import planes_of
from host_tools.virtual_board import pixels
from tests.host_tools.virtual_board import kmodels
from tests.host_tools.virtual_board.shell import CAMERA, Shell

WINDOW = CAMERA + f"sensor.set_windowing(({kmodels.WIDTH}, {kmodels.HEIGHT}))\n"
LOAD = "import KPU as kpu\ntask = kpu.load(0x300000)\n"
FREE = "kpu.deinit(task)\n"


def heads_of(planes: np.ndarray, seed: int = 0) -> list[bytes]:
    """What the simulator makes of planes."""
    return [values.tobytes() for values in Kpu(kmodels.model(seed)).run(planes)[1:]]


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

    def test_what_a_model_and_an_output_print(self, shell: Shell) -> None:
        shell.run(LOAD)
        try:
            assert shell.run("print(task)").startswith('{"model_addr": 3145728, "model_size": ')
            assert shell.run("print(task)").endswith(', "model_path": "(null)", "net_args": "(null)"}')
            assert shell.run("print(kpu.get_output(task, 1))").endswith(', "typecode": B}')
        finally:
            shell.run(FREE)

    def test_an_fmap_has_no_length_and_no_iteration(self, shell: Shell) -> None:
        shell.run(LOAD + WINDOW + "f = kpu.forward(task, sensor.snapshot(), 1)")
        assert shell.raises("len(f)") == "TypeError: object of type 'kpu_fmap' has no len()"
        for source in ("for x in f: pass", "list(f)", "max(f)", "tuple(f)", "sum(f)"):
            assert shell.raises(source) == "TypeError: 'kpu_fmap' object isn't iterable"
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
                "kpu.get_output(task, None)",
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

    def test_no_models_outputs_lie_on_anothers_or_on_a_frame(self, shell: Shell) -> None:
        source = f"""
import KPU as kpu, uctypes
{WINDOW}
tasks = [kpu.load(0x300000) for _ in range(5)]
kpu.deinit(tasks[1])
tasks[1] = kpu.load('small.kmodel')
blocks = [kpu.get_output(task, 0) for task in tasks] + [sensor.snapshot()]
print([(uctypes.addressof(block), block.size()) for block in blocks])
for task in tasks: kpu.deinit(task)
"""
        blocks = sorted(eval(shell.run(source).split("\n")[-1]))
        assert len(blocks) == 6
        for (start, size), (following, _) in pairwise(blocks):
            assert start + size <= following

    def test_a_slash_in_a_models_name_is_a_letter(self, shell: Shell) -> None:
        source = "import KPU as kpu, os\nos.rename('/flash/small.kmodel', '/flash/a/b.kmodel')\n"
        source += "print(kpu.deinit(kpu.load('/flash/a/b.kmodel')))\nos.rename('a/b.kmodel', 'small.kmodel')"
        assert shell.run(source) == "True"

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

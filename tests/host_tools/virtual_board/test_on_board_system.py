"""What a program meets of the chip, its memory, its files and the firmware's build."""

import zlib

import pytest

from host_tools.virtual_board import Hardware
from tests.host_tools.virtual_board import kmodels
from tests.host_tools.virtual_board.shell import CAMERA, Shell
from tests.jumping import VirtualBoard


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
        assert free + used == 518_144

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
sensor.reset()
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
        assert shell.run("print(len(utils.flash_read(0xffffff, 2)))") == "2"

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
        assert "not allowed to pull" in shell.raises("GPIO(GPIO.GPIOHS1, GPIO.OUT, GPIO.PULL_UP)")

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
        assert shell.run("os.chdir('/flash/x')\nprint(os.getcwd())") == "/flash"

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

    def test_its_size_is_what_spiffs_leaves_of_three_mebibytes(self, shell: Shell) -> None:
        block, _, blocks, *_ = eval(shell.run("import os\nprint(os.statvfs('/flash'))"))
        assert block * blocks == 21 * 2**17


class TestFirmwareBuilds:
    def test_a_full_build_has_less_memory_and_knows_v4(self) -> None:
        from conversion import memory_budget

        hardware = Hardware(build=memory_budget.FULL)
        with VirtualBoard(
            b"LDMK" + (5).to_bytes(4, "little") + bytes(60), files={"main.py": ""}, board=hardware
        ) as board:
            shell = Shell(board)
            assert "load error:2015, ERR_UNKNOWN" in shell.raises("import KPU\nKPU.load(0x300000)")
            assert int(shell.run("from Maix import utils\nprint(utils.heap_free())")) / 2**20 == pytest.approx(
                2.5, abs=0.05
            )

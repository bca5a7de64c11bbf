"""Power, boot.py and main.py, the SD card, resets, Ctrl-C: the life of a board."""

import re
import time

import pytest
from PIL import Image

from conversion import memory_budget
from host_tools.errors import BoardError
from host_tools.virtual_board import Faults
from tests.host_tools.virtual_board import kmodels
from tests.host_tools.virtual_board.shell import Shell, type_in
from tests.jumping import VirtualBoard

TICKING = "import utime\nn = 0\nwhile True:\n    n += 1\n    print('tick', n)\n    utime.sleep_ms(20)\n"
PROMPT = 'Type "help()" for more information.\r\n>>> '


def test_boot_py_then_main_py_then_the_prompt() -> None:
    files = {"boot.py": "print('this is boot')\nx = 1\n", "main.py": "print('this is main', x + 1)\n"}
    with VirtualBoard(files=files) as board:
        board.wait_for(PROMPT)
        order = ["kpu:freq:398666666", "gc heap=0x800d6000-0x80156000(524288)", "[MaixPy] init end", "this is boot\r\n",
                 "this is main 2\r\n", "MicroPython v0.6.3"]  # fmt: skip
        places = [board.output().index(text) for text in order]
        assert places == sorted(places)
        type_in(board, b"x\r")
        board.wait_for("x\r\n1\r\n>>> ")


def test_an_error_in_main_is_shown_and_the_prompt_comes() -> None:
    with VirtualBoard(files={"main.py": "def f():\n    1 / 0\nf()\n"}) as board:
        board.wait_for(
            "Traceback (most recent call last):\r\n"
            '  File "main.py", line 3, in <module>\r\n'
            '  File "main.py", line 2, in f\r\n'
            "ZeroDivisionError: divide by zero\r\n"
            "MicroPython v"
        )


def test_a_program_that_leaves_does_so_silently() -> None:
    with VirtualBoard(files={"main.py": "import sys\nprint('going')\nsys.exit()\n"}) as board:
        board.wait_for("going\r\nMicroPython v")


def test_without_main_py_a_demo_is_written() -> None:
    with VirtualBoard() as board:
        board.wait_for(PROMPT)
        assert "Welcome" in (board.flash_folder / "main.py").read_text()
        assert board.lcd().any()


class TestCard:
    def test_a_card_in_the_slot_wins_even_without_a_program(self) -> None:
        with VirtualBoard(files={"main.py": "print('from flash')\n"}, sd={"data/x.txt": "y"}) as board:
            shell = Shell(board)
            assert "from flash" not in board.output()
            assert shell.run("import os, sys\nprint(os.getcwd(), sys.path, os.listdir('/'))") == (
                "/sd ['', '.', '/sd', '/flash'] ['flash', 'sd']"
            )
            assert shell.run("print(sorted(os.listdir()), open('/sd/data/x.txt').read())") == "['data', 'main.py'] y"

    def test_a_slow_card_appears_later(self) -> None:
        source = "import os, utime\na = utime.ticks_ms()\nwhile 'sd' not in os.listdir('/'): utime.sleep_ms(10)\n"
        source += "print(utime.ticks_diff(utime.ticks_ms(), a), open('/sd/x').read(), os.getcwd())\n"
        with VirtualBoard(files={"main.py": source}, sd={"x": "y"}, sd_delay_ms=800) as board:
            match = board.wait_for(re.compile(r"(\d+) y /flash\r\n"))
            assert 100 < int(match[1]) < 5000

    def test_it_has_folders(self) -> None:
        with VirtualBoard(sd={"main.py": ""}) as board:
            shell = Shell(board)
            source = "import os\nos.mkdir('/sd/a')\nos.chdir('/sd/a')\nopen('b', 'w').close()\n"
            source += "os.rename('/sd/a/b', '/sd/c')\nprint(os.listdir(), sorted(os.listdir('..')), os.getcwd())"
            assert shell.run(source) == "[] ['a', 'c', 'main.py'] /sd/a"
            assert shell.run("os.chdir('..')\nos.rmdir('a')\nprint(sorted(os.listdir('/sd')))") == "['c', 'main.py']"

    def test_cover_files_replace_those_in_flash_and_restart_the_chip(self) -> None:
        sd = {"cover.main.py": "print('covered')\n", "main.py": "print('from card')\n"}
        with VirtualBoard(files={"main.py": "old\n"}, sd=sd) as board:
            board.wait_for("from card")
            assert board.output().count("kpu:freq") == 2
            assert (board.flash_folder / "main.py").read_text() == "print('covered')\n"


class TestInterrupts:
    def test_ctrl_c_while_starting_skips_both_programs(self) -> None:
        with VirtualBoard(files={"main.py": TICKING}) as board:
            board.wait_for("init end")
            board.send(b"\x03")
            board.wait_for(PROMPT)
            assert "tick" not in board.output()
            assert "KeyboardInterrupt" in board.output()

    @pytest.mark.parametrize(
        "program",
        [
            TICKING,
            "while True: pass\n",
            "while True:\n    try: [str(n) for n in range(100)]\n    except MemoryError: pass\n",
            "import sensor\nsensor.reset()\nsensor.set_pixformat(sensor.RGB565)\nsensor.set_framesize(sensor.QVGA)\n"
            "while True: sensor.snapshot()\n",
            "import utime\nutime.sleep(100)\n",
            "import machine\nwhile True: machine.UART.repl_uart().any()\n",
            "while True: print('x' * 100)\n",
        ],
        ids=["sleeping", "spinning", "allocating", "camera", "asleep", "uart", "printing"],
    )
    def test_ctrl_c_stops_any_program(self, program: str) -> None:
        with VirtualBoard(files={"main.py": "print('begun')\n" + program}) as board:
            board.wait_for("begun")
            time.sleep(0.1)
            board.send(b"\x03")
            board.wait_for("KeyboardInterrupt: \r\n")
            board.wait_for(PROMPT)
            type_in(board, b"1+1\r")
            board.wait_for("2\r\n>>> ")

    def test_a_program_may_go_on(self) -> None:
        program = "import utime\nwhile True:\n    try:\n        while True: utime.sleep_ms(5)\n"
        program += "    except KeyboardInterrupt: print('caught')\n"
        with VirtualBoard(files={"main.py": "print('begun')\n" + program}) as board:
            board.wait_for("begun")
            for _ in range(3):
                board.send(b"\x03")
                board.wait_for("caught")

    def test_interrupts_never_strike_within_micropythons_own_work(self) -> None:
        """A signal that raised in the garbage collector would leave the heap locked or spoilt."""
        program = """
kept = [str(n) for n in range(500)]
print('begun')
while True:
    try:
        while True: [bytearray(50) for n in range(300)]
    except KeyboardInterrupt:
        print('caught', kept == [str(n) for n in range(500)])
"""
        with VirtualBoard(files={"main.py": program}) as board:
            board.wait_for("begun")
            for _ in range(25):
                board.send(b"\x03")
                board.wait_for("caught True")

    def test_a_program_can_switch_ctrl_c_off(self) -> None:
        program = "import micropython, machine, utime\nmicropython.kbd_intr(-1)\nu = machine.UART.repl_uart()\n"
        program += "print('begun')\nwhile not u.any(): utime.sleep_ms(5)\nprint('read', u.read(1))\n"
        with VirtualBoard(files={"main.py": program}) as board:
            board.wait_for("begun")
            board.send(b"\x03")
            board.wait_for(r"read b'\x03'")


class TestResets:
    def test_ctrl_d_runs_everything_again_and_frees_models(self) -> None:
        main = "import KPU\nfrom Maix import utils\nprint('free', utils.heap_free())\ntask = KPU.load(0x300000)\n"
        with VirtualBoard(kmodels.kmodel(), files={"main.py": main}) as board:
            free = board.wait_for(re.compile(r"free (\d+)"))[1]
            board.wait_for(PROMPT)
            board.send(b"\x04")
            board.wait_for("kpu_net __del__\r\n[MaixPy]: soft reboot\r\n")
            assert board.wait_for(re.compile(r"free (\d+)"))[1] == free
            assert board.output().count("kpu:freq") == 1

    def test_camera_and_lcd_keep_their_memory_over_a_soft_reset(self) -> None:
        with VirtualBoard(files={"main.py": ""}) as board:
            shell = Shell(board)
            shell.run("import lcd\nlcd.init()")
            free = board.system_heap_free
            board.send(b"\x04")
            board.wait_for("raw REPL; CTRL-B to exit\r\n>")
            assert board.system_heap_free == free

    def test_ctrl_d_in_raw_mode_runs_boot_but_not_main(self) -> None:
        with VirtualBoard(files={"boot.py": "print('in boot')\n", "main.py": "print('in main')\n"}) as board:
            Shell(board)
            board.send(b"\x04")
            board.wait_for("OK\r\n[MaixPy]: soft reboot\r\n")
            board.wait_for("raw REPL; CTRL-B to exit\r\n>")
            assert (board.output().count("in boot"), board.output().count("in main")) == (2, 1)

    def test_a_program_can_reset_the_chip(self) -> None:
        main = "import machine\nprint('cause', machine.reset_cause())\nif not machine.reset_cause(): machine.reset()\n"
        with VirtualBoard(files={"main.py": main}) as board:
            board.wait_for("cause 0")
            board.wait_for("kpu:freq")
            board.wait_for("cause 4")

    def test_the_reset_button(self) -> None:
        with VirtualBoard(files={"main.py": TICKING}) as board:
            board.wait_for("tick 3")
            board.reset()
            board.wait_for("tick 1\r")

    def test_the_watchdog_resets_a_program_that_does_not_feed_it(self) -> None:
        main = "import machine, utime\nprint('cause', machine.reset_cause())\nw = machine.WDT(timeout=200)\n"
        main += "for _ in range(5):\n    utime.sleep_ms(100)\n    w.feed()\nprint('fed')\nwhile True: pass\n"
        with VirtualBoard(files={"main.py": main}) as board:
            board.wait_for("cause 0")
            board.wait_for("fed")
            board.wait_for("cause 2")

    def test_a_crash_needs_the_button(self) -> None:
        main = "import KPU\ntask = KPU.load(0x300000)\nprint('now')\nKPU.forward(task, 'x')\n"
        with VirtualBoard(kmodels.kmodel(), files={"main.py": main}) as board:
            board.wait_for("now\r\ncore dump: misaligned load\r\n")
            board.pass_time(60)
            assert board.output().endswith("misaligned load\r\n")
            board.reset()
            board.wait_for("now\r\n")

    def test_a_new_size_of_micropythons_heap_holds_from_the_next_reset(self) -> None:
        with VirtualBoard(files={"main.py": ""}) as board:
            shell = Shell(board)
            free = board.system_heap_free
            assert shell.run("from Maix import utils\nutils.gc_heap_size(256 * 1024)\nprint(utils.gc_heap_size())") == (
                "262144"
            )
            board.reset()
            board.wait_for("gc heap=0x800d6000-0x80116000(262144)")
            board.wait_for(PROMPT)
            assert 240_000 < board.heap_free_at_start < 262_144
            assert board.system_heap_free == free + 256 * 1024


# Memory that the virtual board has at its start.
ALL_MEMORY = memory_budget.MINIMUM.free_bytes


class TestFaults:
    CAMERA = (
        "import sensor, utime\nsensor.reset()\nsensor.set_pixformat(sensor.RGB565)\nsensor.set_framesize(sensor.QVGA)\n"
        "for n in range(1, 7):\n    try:\n        sensor.snapshot()\n        print('frame', n)\n"
        "    except RuntimeError as error:\n        print(n, error)\n"
    )

    def test_every_third_frame_times_out(self) -> None:
        with VirtualBoard(files={"main.py": self.CAMERA}, faults=Faults(camera=3)) as board:
            board.wait_for("frame 1\r\nframe 2\r\n3 Sensor timeout!\r\nframe 4\r\nframe 5\r\n6 Sensor timeout!")

    def test_no_camera(self) -> None:
        with VirtualBoard(files={"main.py": self.CAMERA}, faults=Faults(no_camera=1)) as board:
            board.wait_for("[MAIXPY]: no sensor\r\n")
            board.wait_for("OSError: Reset Failed")

    def test_a_reboot_at_a_frame_once(self) -> None:
        with VirtualBoard(files={"main.py": self.CAMERA}, faults=Faults(reboot=3)) as board:
            board.wait_for("frame 1\r\nframe 2\r\n[MAIXPY] Pll0")
            board.wait_for("frame 6")

    def test_less_memory(self) -> None:
        main = "import KPU\nKPU.load(0x300000)\n"
        with VirtualBoard(
            kmodels.kmodel(), files={"main.py": main}, faults=Faults(memory=ALL_MEMORY - 18_000)
        ) as board:
            board.wait_for(re.compile(r"E \(\d+\) SYSCALL: Out of memory\r\n"))
            board.wait_for("ValueError: [MAIXPY]kpu: load error:2006, ERR_NO_MEM: memory not enough")

    def test_memory_for_camera_and_lcd(self) -> None:
        with VirtualBoard(files={"main.py": ""}, faults=Faults(memory=ALL_MEMORY - 67_000)) as board:
            shell = Shell(board)
            for source in (
                "import lcd\nlcd.init()",
                "import sensor\nsensor.reset()\nsensor.set_framesize(sensor.QVGA)",
            ):
                printed, traceback = shell.answer(source)
                assert "SYSCALL: Out of memory" in printed
                assert traceback.rstrip().endswith("OSError: [Errno 12] ENOMEM")


def test_what_the_camera_sees_can_change() -> None:
    with VirtualBoard(files={"main.py": ""}, camera=Image.new("RGB", (320, 240), "red")) as board:
        shell = Shell(board)
        shell.run(
            "import sensor\nsensor.reset()\nsensor.set_pixformat(sensor.RGB565)\nsensor.set_framesize(sensor.QVGA)"
        )
        assert shell.run("print(sensor.snapshot().get_pixel(5, 5))") == "(255, 0, 0)"
        board.look_at(Image.new("RGB", (320, 240), "blue"))
        assert shell.run("print(sensor.snapshot().get_pixel(5, 5))") == "(0, 0, 255)"
        assert board.frames == 2


def test_files_that_flash_cannot_hold_are_refused() -> None:
    with pytest.raises(BoardError, match="/flash has no folders"):
        VirtualBoard(files={"a/b.py": ""})
    with pytest.raises(BoardError, match="do not fit below the file system"):
        VirtualBoard(model=bytes(11 * 2**20))

"""`make setup` on small lock files: installed once, anew after a change, never half; and what it says when it fails."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.patience import HANG_SECONDS

needs_python310 = pytest.mark.skipif(sys.version_info[:2] != (3, 10), reason="setup runs in CPython 3.10 only")


def load_install(root: Path) -> ModuleType:
    """scripts/install.py as a module; scripts/ is no package."""
    spec = importlib.util.spec_from_file_location("install", root / "scripts" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def install(root: Path) -> ModuleType:
    return load_install(root)


class Checkout:
    """A folder with the Makefile and its scripts and a lock file of our own; pip sees no network and no settings."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.wheels = folder.parent / "wheels"  # pip splits PIP_FIND_LINKS at spaces
        self.wheels.mkdir()
        folder.mkdir()
        shutil.copy(root / "Makefile", folder)
        shutil.copytree(root / "scripts", folder / "scripts")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
        python = f"{sys.base_prefix}/bin/python3.10"
        self.environment = {**kept, "PYTHON": python, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
        self.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}

    def put_wheel(self, version: str) -> str:
        """A wheel with one module; its hash."""
        path = self.wheels / f"tiny-{version}-py3-none-any.whl"
        info = f"tiny-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("tiny.py", f"version = {version!r}\n")
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def lock(self, version: str, sha256: str) -> None:
        (self.folder / "requirements.lock").write_text(f"# a lock\ntiny=={version} --hash=sha256:{sha256}\n")

    def setup(self, **environment: str) -> subprocess.CompletedProcess:
        command = ["make", "setup"]
        return subprocess.run(
            command, cwd=self.folder, env={**self.environment, **environment}, capture_output=True, text=True
        )

    def installed(self) -> str:
        """The version that .venv really holds."""
        command = [".venv/bin/python", "-c", "import tiny; print(tiny.version)"]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True).stdout.strip()

    @property
    def stamp(self) -> Path:
        return self.folder / ".venv" / "installed.lock"


@pytest.fixture
def checkout(tmp_path: Path, root: Path, install: ModuleType) -> Checkout:
    if shutil.disk_usage(tmp_path).free < install.NEEDED_GB * 1e9:
        pytest.skip(f"setup itself refuses: less than {install.NEEDED_GB} GB are free in {tmp_path}")
    return Checkout(tmp_path / "a checkout", root)


@needs_python310
def test_refuses_a_wrong_hash_then_installs_once_and_again_after_a_change(checkout: Checkout):
    sha256 = checkout.put_wheel("1.0")
    checkout.lock("1.0", "0" * 64)
    refused = checkout.setup()
    assert refused.returncode == 2
    assert "differs from its hash in requirements.lock" in refused.stderr
    assert not checkout.stamp.exists()
    assert checkout.installed() == ""

    left_over = checkout.folder / ".venv" / "left over"
    left_over.touch()
    checkout.lock("1.0", sha256)
    first = checkout.setup()
    assert first.returncode == 0, first.stderr
    assert "GB to download" in first.stderr
    assert checkout.installed() == "1.0"
    assert not left_over.exists()

    second = checkout.setup(PYTHON="/no/such/python")
    assert (second.returncode, second.stderr, second.stdout) == (0, "", first.stdout)

    checkout.lock("2.0", checkout.put_wheel("2.0"))
    changed = checkout.setup(PYTHON="/no/such/python")
    assert changed.returncode == 2
    assert "PYTHON=/no/such/python does not run" in changed.stderr


@pytest.mark.soak
@needs_python310
def test_unreachable_index_ends_in_one_clear_line(checkout: Checkout):
    checkout.lock("1.0", "0" * 64)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{nobody.getsockname()[1]}/simple"
        failed = checkout.setup(PIP_NO_INDEX="0", PIP_INDEX_URL=index, PIP_RETRIES="1")

    lines = failed.stderr.splitlines()
    assert failed.returncode == 2
    assert lines[0].startswith("Installing ")
    assert lines[1].startswith("Setup failed: the package index does not answer")
    assert "`make setup`" in lines[1]
    assert [line for line in lines[2:] if not line.startswith("make: ***")] == []
    assert not checkout.stamp.exists()


@pytest.mark.soak
@needs_python310
def test_interruption_is_not_taken_for_an_installation(checkout: Checkout):
    checkout.lock("1.0", "0" * 64)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        index = f"http://127.0.0.1:{mute.getsockname()[1]}/simple"
        environment = {**checkout.environment, "PIP_NO_INDEX": "0", "PIP_INDEX_URL": index}
        process = subprocess.Popen(
            ["make", "setup"],
            cwd=checkout.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        mute.settimeout(HANG_SECONDS)
        connection, _ = mute.accept()
        os.killpg(process.pid, signal.SIGINT)
        connection.close()
        _, message = process.communicate(timeout=HANG_SECONDS)

    assert process.returncode != 0
    assert "Interrupted: .venv is not ready" in message
    assert "Traceback" not in message
    assert not checkout.stamp.exists()


def test_of_two_installations_the_second_waits_and_finds_it_done(install: ModuleType, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    installations = []
    monkeypatch.setattr(install, "install", installations.append)
    Path("build").mkdir()
    Path("requirements.lock").write_text("tiny==1.0\n")
    second = threading.Thread(target=install.main)
    with install.only_one_run():
        second.start()
        second.join(timeout=0.3)
        assert second.is_alive()
        Path(".venv/bin").mkdir(parents=True)
        Path(".venv/bin/python").touch()
        shutil.copy("requirements.lock", ".venv/installed.lock")
    second.join(timeout=HANG_SECONDS)
    assert not second.is_alive()
    assert installations == []


def test_missing_libgomp_is_one_line_with_the_package_to_install(install: ModuleType, monkeypatch, tmp_path, capsys):
    def load(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file: No such file or directory")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(install.sys, "platform", "linux")
    check = install.check_libgomp
    monkeypatch.setattr(install, "check_libgomp", lambda: check(load))

    assert install.main() == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "libgomp.so.1" in message
    assert "apt install libgomp1" in message
    assert not (tmp_path / ".venv").exists()


def test_full_disk_is_said_before_the_download(install: ModuleType, monkeypatch):
    monkeypatch.setattr(install.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**12, 0, 10**8))

    with pytest.raises(install.SetupError, match=r"0\.1 GB are free"):
        install.check_disk()


@pytest.mark.parametrize(
    ("output", "meaning"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("Retrying: NameResolutionError\nERROR: No matching distribution found for x", "index does not answer"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "differs from its hash"),
        ("ERROR: No matching distribution found for nncase==1.9", "offers no wheel of nncase==1.9"),
        ("noise\nERROR: Something new.\nmore noise", "Something new"),
        ("one\nlast words\n", "last words"),
    ],
)
def test_reason_of_a_failure(install: ModuleType, output: str, meaning: str):
    assert meaning in install.reason(output)


def test_read_only_folder_is_one_line(install: ModuleType, monkeypatch, tmp_path, capsys):
    """A file stands where the folder build/ has to be: what root cannot write either."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").touch()

    assert install.main() == 2
    assert capsys.readouterr().err.count("\n") == 1

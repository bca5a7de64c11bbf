"""Moving pictures, frame by frame: a folder of photos, an animated GIF, PNG or WebP, and a video where ffmpeg is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from conversion import camera_frame, photos
from conversion.errors import PhotoError
from conversion.outside.text import shown

_MESSAGE_BYTES = 4096


def is_moving(path: Path) -> bool:
    """Whether that is a folder, a video by its name, or an animation. PhotoError if it is nothing of all that."""
    if path.is_dir() or path.suffix.lower() in photos.VIDEOS:
        return True
    animation = photos.animation(path)
    if animation is None:
        return False
    animation.close()
    return True


def frames(path: Path) -> Iterator[Image.Image]:
    """The frames, RGB, each read when its turn comes; PhotoError names what cannot be read.

    A photo that stands still is one frame.
    """
    if path.is_dir():
        return map(photos.read, photos.in_folder(path))
    if path.suffix.lower() in photos.VIDEOS:
        return _of_video(path)
    animation = photos.animation(path)
    if animation is None:
        return iter([photos.read(path)])
    return (photos.frame(animation, number) for number in range(animation.n_frames))


def _of_video(path: Path) -> Iterator[Image.Image]:
    """The frames of a video, fitted into a VGA frame, as ffmpeg hands them out one after another."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise PhotoError(f"{path}: {photos.VIDEO_ADVICE.format(path.name)}")
    if not path.is_file():
        raise PhotoError(f"{path}: no such video")
    return _piped(program, path)


def _piped(program: str, path: Path) -> Iterator[Image.Image]:
    width, height = camera_frame.FRAME
    fitted = f"scale={width}:{height}:force_original_aspect_ratio=decrease,pad={width}:{height}"
    # "file:" so that no name is taken for an option or for an address in the net.
    command = [program, "-nostdin", "-v", "error", "-i", f"file:{path}", "-vf", fitted]
    process = subprocess.Popen(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        try:
            count = 0
            while len(data := process.stdout.read(3 * width * height)) == 3 * width * height:
                yield Image.frombytes("RGB", (width, height), data)
                count += 1
            said = process.stderr.read(_MESSAGE_BYTES).decode("utf-8", "replace").strip()
        finally:
            process.kill()
    if not count:
        reason = shown(said.splitlines()[-1]) if said else "no picture in it"
        raise PhotoError(f"{path}: ffmpeg cannot read it ({reason}); make a folder of its frames")

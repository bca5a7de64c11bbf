"""Opens what the program looks at: the source of frames that settings and memory allow, and how it is looked at."""

import gc

import pose_camera
import pose_errors
import pose_heap
import pose_memory
from pose_errors import PoseError


def open_source(config, engine, settings, report):
    """(source of frames, Look or None) for the settings `zoom` and `smooth`. Where a camera at VGA has no room after
    all, that is reported, and `zoom` is 0 from then on."""
    card = engine.card
    budget = engine.budget
    frames = None
    if budget.plan(settings.zoom):
        pose_wide = _for_zoom()
        try:
            frames = pose_wide.WideCamera(config.camera, card.width, card.height, budget.buffers)
        except PoseError as error:
            if error.code != pose_errors.MEMORY:
                raise
            report(error)
            settings.zoom = 0
            budget.plan(0)
    if frames is None:
        frames = pose_camera.open_source(config, card.width, card.height, budget.buffers)
    return frames, look_at(frames, engine, settings)


def _for_zoom():
    """The module of the camera at VGA. What takes its place in the heap for good comes before the large pictures."""
    with pose_heap.Importing():
        import pose_look  # noqa: F401
        import pose_wide

        return pose_wide


def reserve(frames, engine):
    """The last that takes memory for good. Where memory has room for zoom its pictures are taken also without zoom: who
    turns it on later finds the heap in pieces. Beside picture files there would be no piece for a copy of the heads."""
    card = engine.card
    gc.collect()
    free = gc.mem_free()
    try:
        if frames.source == pose_camera.FILES:
            if free >= frames.needed + sum(card.head_bytes):
                engine.reserve_copy()
        elif not frames.wide and engine.budget.laid_out() and free >= pose_memory.zoom_bytes(card.width, card.height):
            _for_zoom().take_pictures(card.width, card.height)
    except PoseError:
        # It is free in pieces alone. Who asks for heads, or turns zoom on, will be told.
        pass


def look_at(frames, engine, settings):
    """The Look for a source of frames; None where a frame goes as it is through the network, once."""
    if not frames.wide and not settings.smooth:
        return None
    with pose_heap.Importing():
        import pose_look

    look = pose_look.Look(frames, engine.card, engine.budget.zoom)
    look.configure(settings.smooth, settings.max_poses)
    return look

"""Opens what the program looks at: the source of frames that settings and memory allow, and how it is looked at."""

import gc

import pose_camera
import pose_errors
import pose_heap
from pose_errors import PoseError


def open_source(config, engine, settings, report):
    """(source of frames, Look or None) for the settings `zoom` and `smooth`. Where a camera at VGA has no room after
    all, that is reported, and `zoom` is 0 from then on."""
    card = engine.card
    budget = engine.budget
    frames = None
    if budget.plan(settings.zoom) or budget.laid_out():
        gc.threshold(pose_heap.COLLECT_EVERY)
        # What takes its place for good comes before the large pictures.
        import pose_look  # noqa: F401
        import pose_wide

        try:
            # Also for who turns zoom on later, when the heap may have no pieces for them.
            pose_wide.take_pictures(card.width, card.height)
            if budget.zoom:
                frames = pose_wide.WideCamera(config.camera, card.width, card.height, budget.buffers)
        except PoseError as error:
            if error.code != pose_errors.MEMORY:
                raise
            if budget.zoom:
                report(error)
                settings.zoom = 0
                budget.plan(0)
    if frames is None:
        frames = pose_camera.open_source(config, card.width, card.height, budget.buffers)
    return frames, look_at(frames, engine, settings)


def look_at(frames, engine, settings):
    """The Look for a source of frames; None where a frame goes as it is through the network, once."""
    if not frames.wide and not settings.smooth:
        return None
    import pose_look

    look = pose_look.Look(frames, engine.card, engine.budget.zoom)
    look.configure(settings.smooth, settings.max_poses)
    return look

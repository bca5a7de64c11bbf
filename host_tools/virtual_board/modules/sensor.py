"""MaixPy's sensor module: the camera is the host's; each frame is copied into one of its buffers."""

import _host
import _picture_data as _data
import image as _image

RGB565 = _data.RGB565
YUV422 = 3
GRAYSCALE = 4
JPEG = _data.JPEG
# MaixPy's numbers for frame sizes, and width and height.
QQCIF, QCIF, CIF, QQSIF, QSIF, SIF = 1, 2, 3, 4, 5, 6
QQQQVGA, QQQVGA, QQVGA, QVGA, VGA, HQQQVGA, HQQVGA, HQVGA = 7, 8, 9, 10, 11, 12, 13, 14
B64X32, B64X64, B128X64, B128X128, B240X240 = 15, 16, 17, 18, 19
_SIZES = {
    QQCIF: (88, 72),
    QCIF: (176, 144),
    CIF: (352, 288),
    QQSIF: (88, 60),
    QSIF: (176, 120),
    SIF: (352, 240),
    QQQQVGA: (40, 30),
    QQQVGA: (80, 60),
    QQVGA: (160, 120),
    QVGA: (320, 240),
    VGA: (640, 480),
    HQQQVGA: (60, 40),
    HQQVGA: (120, 80),
    HQVGA: (240, 160),
    B64X32: (64, 32),
    B64X64: (64, 64),
    B128X64: (128, 64),
    B128X128: (128, 128),
    B240X240: (240, 240),
}
_MOST_LEVEL = 2
_FRAMERATES = (2, 8, 15, 25, 30, 60)

_frame = (0, 0)


def reset(freq=24000000, *, set_regs=True, dual_buff=False, choice=0):
    """Looks for the sensor; the frame's buffers are freed."""
    global _frame
    _frame = (0, 0)
    _host.call(b"sensor_reset", int(dual_buff), choice)


def set_pixformat(pixformat, set_regs=True):
    if pixformat != RGB565:
        raise OSError("Pixel format is not supported!")
    _host.call(b"sensor_format")
    return True


def set_framesize(framesize, set_regs=True):
    """Takes memory for frames and starts the sensor."""
    global _frame
    if set_regs is not True:
        raise ValueError("arg err")
    width, height = _SIZES.get(framesize, (0, 0))
    _host.call(b"sensor_size", width, height, _host.FRAME_BYTES // 2)
    _frame = (width, height)


def set_windowing(roi):
    if not isinstance(roi, (tuple, list)):
        _host.pair_of(roi, 2)
    if len(roi) == 2:
        w, h = roi
        x, y = _frame[0] // 2 - w // 2, _frame[1] // 2 - h // 2
    elif len(roi) == 4:
        x, y, w, h = roi
    else:
        raise ValueError("The tuple/list must either be (x, y, w, h) or (w, h)")
    if w < 8 or h < 8:
        raise ValueError("The selected window is too small")
    if x < 0 or x + w > _frame[0] or y < 0 or y + h > _frame[1]:
        raise ValueError("The selected window is outside the bounds of the frame")
    if w % 8 or h % 8:
        raise ValueError("value must be multiple of 8")
    _host.call(b"sensor_window", x, y, w, h)
    return True


def snapshot(*_, update_jb=True):
    """The next frame, in the camera's own buffer: the next call overwrites it."""
    width, height, slot, _, _, _, _, _ = _host.call(b"snapshot")
    pixels = _host.part(_host.frame(slot), width * height * 2)
    _host.call(b"frame_pixels", slot, into=pixels)
    return _image.Image(_made=(width, height, RGB565, pixels, slot))


def skip_frames(n=None, *, time=300):
    """Takes frames and drops them: n of them, or for so many milliseconds."""
    if _host.call(b"skip_frames", 0 if n is None else n, time)[0]:
        raise RuntimeError("Sensor Timeout!!")


def set_vflip(enable):
    _control(b"sensor_vflip", enable)


def set_hmirror(enable):
    _control(b"sensor_mirror", enable)


def _control(name, enable):
    if not _host.call(name, int(bool(enable)))[0]:
        raise ValueError("Sensor control failed!")


def set_framerate(framerate):
    """No sensor's driver can do it."""
    raise ValueError("Fail" if framerate in _FRAMERATES else "Invalid framerate")


def _level(value):
    """Brightness and the like: the picture stays as it is."""
    return -_MOST_LEVEL <= value <= _MOST_LEVEL


set_brightness = set_contrast = set_saturation = _level


def _automatic(*_, **__):
    """Gain, exposure and white balance: the picture stays as it is."""


set_auto_gain = set_auto_exposure = set_auto_whitebal = set_jb_quality = _automatic


def run(enable):
    _host.call(b"sensor_run", int(bool(enable)))
    return True


def shutdown(enable):
    run(not enable)


def sleep(enable):
    """No sensor's driver can do it."""
    print("[MAIXPY]: Operation not supported.")
    raise OSError("Sleep Failed")


def deinit():
    _host.call(b"sensor_deinit")


def get_id():
    return _host.call(b"sensor_id")[0]


def width():
    return _frame[0]


def height():
    return _frame[1]


binocular_reset = _host.missing("sensor.binocular_reset")
flush = _host.missing("sensor.flush")
get_exposure_us = _host.missing("sensor.get_exposure_us")
get_gain_db = _host.missing("sensor.get_gain_db")
get_rgb_gain_db = _host.missing("sensor.get_rgb_gain_db")
set_lens_correction = _host.missing("sensor.set_lens_correction")
set_special_effect = _host.missing("sensor.set_special_effect")
set_colorbar = _host.missing("sensor.set_colorbar")
set_gainceiling = _host.missing("sensor.set_gainceiling")
get_fb = _host.missing("sensor.get_fb")

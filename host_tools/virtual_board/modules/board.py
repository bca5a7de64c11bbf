"""MaixPy's board module: the pins that /flash/config.json names."""

from Maix import config


class board_info:  # noqa: N801 - MaixPy's name
    @staticmethod
    def set(key, value=None):
        setattr(board_info, key, value)

    @staticmethod
    def all():
        return dir(board_info)

    @staticmethod
    def load(values=None):
        for key in values or {}:
            board_info.set(key, values[key])


_values = config.get_value("board_info", None)
if _values is None:
    print("[Warning] Not loaded from /flash/config.json to board_info.")
    _values = {"BOOT_KEY": 16}
board_info.load(_values)

"""`monitor --web`: the boards on one page in a browser on this computer.

What the page may say is in `messages.py`; what it is told, in `board_state.py` and `hub.py`.
"""

from host_tools.monitor.web.server import Page

__all__ = ["Page"]

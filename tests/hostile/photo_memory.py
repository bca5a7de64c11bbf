"""The peak memory in KiB of a process that fits one photo into the network's picture: `… photo_memory PHOTO`.

As the kernel counts it since this program began: the figure of `getrusage` holds that of the process that started it.
"""

import re
import sys
from pathlib import Path

from conversion import photos

photos.letterbox(photos.read(Path(sys.argv[1])), 320, 240)
print(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])

"""The peak memory in KiB of a process that fits one photo into the network's picture: `… photo_memory PHOTO`."""

import resource
import sys
from pathlib import Path

from conversion import photos

photos.letterbox(photos.read(Path(sys.argv[1])), 320, 240)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

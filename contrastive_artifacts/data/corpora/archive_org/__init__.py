"""Recordings of archive.org: ``ia:IDENTIFIER``, all of an item, and ``ia:IDENTIFIER/path/file.mp3``, one file of it.

:mod:`.service` asks its metadata and search, :mod:`.choice` chooses among the files of an item, :mod:`.storage` has the
files on this machine and what is known of them, :mod:`.corpus` makes clips of them.
"""

from .corpus import archive_org as archive_org
from .storage import PREFIX as PREFIX
from .storage import Recording as Recording
from .storage import folder as folder
from .storage import recordings as recordings

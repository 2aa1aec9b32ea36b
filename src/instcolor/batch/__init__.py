"""The way for many photos.

`jobs` is what is done to each, `records` what came of it, `names` what results are called, `running` the run over all.
"""

from .jobs import Colorizing, Detecting, Job, Task, Work
from .names import Names
from .records import Record
from .running import run

__all__ = ["Colorizing", "Detecting", "Job", "Names", "Record", "Task", "Work", "run"]

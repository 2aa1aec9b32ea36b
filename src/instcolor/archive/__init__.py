"""Photographs by the million: a plan in shards, on engines that people already operate.

`stores` is where files go, `listing` what a source holds, `planning` what is to be done, `claims` who does it, `shards`
the one function "shard in, outcome out", `engines` who calls it, `progress` how far it all is. Everything that is known
stands under `.instcolor/` in the target.
"""

from .engines import Engine, Local, OnRay, carry_out
from .planning import Plan, planned
from .progress import Progress, failures, look, retry
from .shards import Outcome, do_shard
from .stores import Store

__all__ = [
    "Engine",
    "Local",
    "OnRay",
    "Outcome",
    "Plan",
    "Progress",
    "Store",
    "carry_out",
    "do_shard",
    "failures",
    "look",
    "planned",
    "retry",
]

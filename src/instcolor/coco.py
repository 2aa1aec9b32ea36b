"""The 80 object classes of COCO, in the order in which detectors number them, and their official 91-range ids."""

from __future__ import annotations

COCO_NAMES = tuple(
    """person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,
    bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,
    skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,
    wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,
    chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,
    toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush""".replace("\n    ", "").split(
        ","
    )
)

# The annotation files count 1..90 and leave these numbers out: their classes never got annotations.
_UNUSED_IDS = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))
COCO_IDS = tuple(i for i in range(1, 91) if i not in _UNUSED_IDS)

NAME_OF_ID = dict(zip(COCO_IDS, COCO_NAMES, strict=True))
ID_OF_NAME = dict(zip(COCO_NAMES, COCO_IDS, strict=True))

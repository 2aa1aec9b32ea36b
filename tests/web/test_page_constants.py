"""The numbers of the page are those of Python; no browser is needed to see it."""

from __future__ import annotations

import json
import re

from instcolor import tuning, upsampling
from instcolor.web import page_constants

FOLDER = page_constants.PATH.parent


def test_the_page_has_pythons_numbers() -> None:
    text = page_constants.PATH.read_text(encoding="utf-8")
    assert text == page_constants.script(), "python -m instcolor.web.page_constants"
    alone = page_constants.ALONE.read_text(encoding="utf-8")
    assert alone == page_constants.numbers(), "python -m instcolor.web.page_constants"
    values = {
        name: json.loads(value) for name, value in re.findall(r"^export const (\w+) = (.*);$", text, re.MULTILINE)
    }
    assert values["EDGE_VARIANCE"] == upsampling.EDGE_VARIANCE
    assert tuple(values["WARM"]) == tuning.WARM
    assert tuning.Tuning(**values["TUNING"]) == tuning.Tuning()


def test_no_script_has_a_number_of_its_own_for_one_of_them() -> None:
    shared = set(re.findall(r"^export const (\w+)", page_constants.script(), re.MULTILINE))
    for path in FOLDER.rglob("*.js"):
        if path not in (page_constants.PATH, page_constants.ALONE):
            own = set(re.findall(r"^(?:export )?const (\w+) =", path.read_text(encoding="utf-8"), re.MULTILINE))
            assert not own & shared, path.name


def test_every_shared_number_is_used() -> None:
    used = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.js") if path != page_constants.PATH)
    for name in re.findall(r"^export const (\w+)", page_constants.script(), re.MULTILINE):
        assert re.search(rf"\b{name}\b", used), name
    alone = "".join(path.read_text(encoding="utf-8") for path in (FOLDER / "alone").glob("*.js"))
    for name in re.findall(r"^export const (\w+)", page_constants.numbers(), re.MULTILINE):
        assert len(re.findall(rf"\b{name}\b", alone)) > 1, name

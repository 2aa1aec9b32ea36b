"""The nodes for ComfyUI, through a stand-in of its V3 schema."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from instcolor import Colorizer, DetectedObject
from support import comfy, fixtures
from support.places import ROOT
from support.stand_in import FakeModel

PACK = ROOT / "integrations" / "comfyui"


class Middle:
    """A detector that finds one thing in the middle."""

    def detect(self, L: np.ndarray) -> list[DetectedObject]:
        height, width = L.shape
        return [DetectedObject((width / 4, height / 4, width * 3 / 4, height * 3 / 4), "cat", 0.9)]


@pytest.fixture
def nodes() -> Iterator[dict[str, Any]]:
    """The classes of the pack, by the ids of their nodes, as ComfyUI comes by them."""
    with comfy.stand_in():
        spec = importlib.util.spec_from_file_location(
            "comfy_pack", PACK / "__init__.py", submodule_search_locations=[str(PACK)]
        )
        assert spec
        assert spec.loader
        sys.modules["comfy_pack"] = pack = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(pack)
            extension = asyncio.run(pack.comfy_entrypoint())
            found = asyncio.run(extension.get_node_list())
            yield {node.define_schema().node_id: node for node in found}
        finally:
            for name in [name for name in sys.modules if name.split(".")[0] == "comfy_pack"]:
                del sys.modules[name]


@pytest.fixture
def colorizer() -> Colorizer:
    return Colorizer(FakeModel(), detector=Middle())


def image(count: int = 1) -> torch.Tensor:
    gray = np.asarray(fixtures.image("L", 96, 64).convert("RGB"), np.float32) / 255
    return torch.from_numpy(np.stack([gray] * count))


def test_execute_takes_what_the_schema_says_and_nothing_else(nodes: dict[str, Any]) -> None:
    assert set(nodes) == {"InstcolorLoad", "InstcolorDetect", "InstcolorColorize"}
    for node in nodes.values():
        schema = node.define_schema()
        parameters = inspect.signature(node.execute).parameters
        assert set(parameters) == {part.id for part in schema.inputs}
        optional = {part.id for part in schema.inputs if part.told.get("optional")}
        assert optional <= {name for name, one in parameters.items() if one.default is not inspect.Parameter.empty}


def test_images_come_back_in_color_in_their_shape(nodes: dict[str, Any], colorizer: Colorizer) -> None:
    (result,) = nodes["InstcolorColorize"].execute(colorizer, image(2), style="natural", saturation=1.0, strength=1.0)
    assert result.shape == (2, 64, 96, 3)
    assert result.dtype == torch.float32
    assert 0 <= float(result.min()) <= float(result.max()) <= 1
    assert float((result.amax(-1) - result.amin(-1)).mean()) > 0.02
    assert torch.equal(result[0], result[1])


def test_strength_zero_is_gray(nodes: dict[str, Any], colorizer: Colorizer) -> None:
    (result,) = nodes["InstcolorColorize"].execute(colorizer, image(), style="vivid", saturation=1.0, strength=0.0)
    assert float((result.amax(-1) - result.amin(-1)).max()) < 0.01


def test_a_found_object_is_a_mask_over_the_image(nodes: dict[str, Any], colorizer: Colorizer) -> None:
    masks, told = nodes["InstcolorDetect"].execute(colorizer, image())
    assert masks.shape == (1, 64, 96)
    assert float(masks[0, 32, 48]) == 1
    assert float(masks[0, :10].max()) == 0
    assert json.loads(told)[0]["label"] == "cat"


def test_masks_are_the_objects(nodes: dict[str, Any]) -> None:
    seen: list[Any] = []

    class Asked(Colorizer):
        def look(self, source: Any, **wanted: Any) -> Any:
            seen.extend(wanted["objects"])
            return super().look(source, **wanted)

    masks = torch.zeros(2, 64, 96)
    masks[0, 10:30, 20:50] = 1
    nodes["InstcolorColorize"].execute(
        Asked(FakeModel(), detector="none"), image(), style="natural", saturation=1.0, strength=1.0, objects=masks
    )
    (thing,) = seen  # the empty one is none
    assert thing.box == (20, 10, 50, 30)
    assert thing.mask.coverage(thing.box, (20, 30)).min() == 1


def test_hints_reach_the_networks(nodes: dict[str, Any]) -> None:
    seen: list[Any] = []

    class Asked(Colorizer):
        def look(self, source: Any, **wanted: Any) -> Any:
            seen.append(wanted["hints"])
            return super().look(source, **wanted)

    call = nodes["InstcolorColorize"].execute
    told = {"style": "natural", "saturation": 1.0, "strength": 1.0}
    asked = Asked(FakeModel(), detector="none")
    call(asked, image(), **told, hints='[{"point": [40, 30], "color": "#2040c0"}]')
    x, y, a, b = seen[0].points[0]
    assert (x, y) == (40, 30)
    assert a > 10
    assert b < -40
    with pytest.raises(ValueError, match="hints are not a list like"):
        call(asked, image(), **told, hints='{"point": 3}')


def test_a_colorizer_is_loaded_by_name(nodes: dict[str, Any]) -> None:
    (loaded,) = nodes["InstcolorLoad"].execute("lite", "none", 3)
    assert isinstance(loaded, Colorizer)
    assert loaded.limit == 3


def test_the_registry_finds_what_it_asks_for() -> None:
    facts = tomllib.loads((PACK / "pyproject.toml").read_text(encoding="utf-8"))
    assert "comfyui" not in facts["project"]["name"].lower()
    assert {"PublisherId", "DisplayName"} <= set(facts["tool"]["comfy"])
    assert any(need.startswith("instcolor") for need in facts["project"]["dependencies"])

"""Settings of a training: read, overridden, checked, chained over the stages; the command and the logs."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("torch")
yaml = pytest.importorskip("yaml")


from instcolor.cli import app  # noqa: E402
from instcolor.errors import InstcolorError  # noqa: E402
from instcolor.training.config import ORDER, Config  # noqa: E402
from instcolor.training.recipes import BUNDLED, chain, find_config  # noqa: E402
from instcolor.training.settings import flat, parse_overrides  # noqa: E402
from instcolor.training.sinks import Progress, RunFolder, TensorBoard, Wandb, opened  # noqa: E402
from instcolor.training.stages import check  # noqa: E402
from support import trainings  # noqa: E402

NEEDED: dict[str, Any] = {  # of the recipes that ship
    "data.photos": ["photos"],
    "data.boxes": ["boxes.json"],
    "weights.encoder": "encoder.safetensors",
    "weights.start": "start.safetensors",
}


def written(path: Path, **values: Any) -> Path:
    path.write_text(yaml.safe_dump({"stage": "full", "data": {"photos": ["photos"]}, "run": "run", **values}))
    return path


# Reading


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_bundled_config_can_be_read_and_is_named_by_backbone_and_stage(path: Path) -> None:
    left = [name for name, value in flat(yaml.safe_load(path.read_text())).items() if value is None]
    config = Config.read(path, {name: NEEDED[name] for name in left})
    check(config)
    *names, stage = path.stem.split("-")  # the detector has no backbone to be named by
    assert config.stage == stage
    for name in names:
        assert config.network.name == {"demo": "lite", "finish": "lite"}.get(name, name)


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    values = {
        "crops": {"sizes": [[0, 64], [0.5, 96]]},
        "augmentation": {"crop": [0.5, 1]},
        "loss": {"name": "log-error"},
    }
    config = Config.read(written(tmp_path / "a.yaml", **values))
    (tmp_path / "b.yaml").write_text(config.to_yaml())
    assert Config.read(tmp_path / "b.yaml") == config
    assert config.size_at(0.49) == 64
    assert config.size_at(0.5) == 96


def test_overrides_replace_settings_deep_inside_too(tmp_path: Path) -> None:
    given = [
        "optimizer.batch=8",
        "augmentation.film=0.5",
        "optimizer.lr_rest=1e-4",
        "data.photos=[a, b]",
        "data.boxes=[]",
    ]
    data = {"photos": ["p"], "boxes": ["x.json"], "held_out": 3}
    path = written(tmp_path / "a.yaml", augmentation={"jpeg": 0.25}, data=data)
    config = Config.read(path, parse_overrides([*given, "data.boxes=[]"]))
    assert (config.optimizer.batch, config.optimizer.lr_rest) == (8, 1e-4)
    assert (config.data.photos, config.data.boxes, config.data.held_out) == (("a", "b"), (), 3)
    assert (config.augmentation.film, config.augmentation.jpeg) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"bach": 3}, "no such setting: bach"),
        ({"augmentation": {"rain": 1}}, "no such setting: augmentation.rain"),
        ({"augmentation": 3}, "augmentation: 3 is not a group of settings"),
        ({"optimizer": {"batch": "many"}}, "optimizer.batch: 'many' is not of type int"),
        ({"optimizer": {"batch": 0}}, "optimizer.batch: 0 is under 1"),
        ({"optimizer": {"batch": True}}, "optimizer.batch: True is not of type int"),
        ({"optimizer": {"lr_rest": "fast"}}, "optimizer.lr_rest: 'fast' is not of type float"),
        ({"crops": {"sizes": 64}}, "crops.sizes: 64 is not a list"),
        ({"crops": {"sizes": [[0, 64, 3]]}}, "has not 2 entries"),
        ({"crops": {"sizes": [[0.5, 64]]}}, "does not start at 0"),
        ({"optimizer": {"schedule": "steps"}}, "optimizer.schedule: 'steps' is none of"),
        ({"stage": None}, "stage: None is not of type str"),
        ({"loss": {"name": "l7"}}, "no loss 'l7': rebalanced, log-error, smooth-l1"),
        ({"loss": {"name": "log-error", "emphasis": 0.1}}, "no such setting: loss.emphasis"),
        ({"network": {"name": "siggraph17", "drop_path": 0.1}}, "no such setting: network.drop_path"),
        ({"network": {"name": "siggraph17", "mask_center": 1}}, "network.mask_center: 1.0 is neither"),
        # settings as they were before they had groups
        ({"batch": 8, "hint_share": 0.5}, r"batch \(now optimizer.batch\), hint_share \(now hints.share\)"),
        ({"data": ["photos"]}, r"data: \['photos'\] is not a group of settings"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, values: dict[str, Any], reason: str) -> None:
    with pytest.raises(InstcolorError, match=reason) as caught:
        Config.read(written(tmp_path / "a.yaml", **values))
    assert str(caught.value).startswith(str(tmp_path / "a.yaml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"stage": "fusion", "optimizer": {"lr_encoder": 1e-4}}, "optimizer.lr_encoder: not taken by the stage fusion"),
        (
            {"stage": "instance", "augmentation": {"crop": [0.5, 1]}},
            "augmentation.crop: not taken by the stage instance",
        ),
        ({"stage": "fusion", "network": {"drop_path": 0.1}}, "network.drop_path: not taken by the stage fusion"),
        ({"stage": "detector", "network": {"name": "siggraph17"}}, "network.name: not taken by the stage detector"),
        ({"stage": "detector", "loss": {"emphasis": 1}, "hints": {"stop": 1}}, "loss.emphasis, hints.stop: not taken"),
        ({"network": {"name": "siggraph17"}, "teaching": 1}, "teaching: not taken by the stage full of siggraph17"),
        ({"crops": {"sizes": [[0, 176]]}}, "crops.sizes: 176 is no multiple of 32"),
        ({"stage": "fusion", "crops": {"instance_size": 100}}, "crops.instance_size: 100 is no multiple of 32"),
        ({"crops": {"sizes": [[0, 0]]}}, "crops.sizes: 0 is no multiple of 32"),
        ({"hints": {"objects": 0.5}}, "hints.objects: needs the objects of the photos: data.boxes"),
    ],
)
def test_what_the_stage_does_not_take_or_cannot_be_is_refused_when_the_config_is_read(
    tmp_path: Path, values: dict[str, Any], reason: str
) -> None:
    path = written(tmp_path / "a.yaml", **values)
    with pytest.raises(InstcolorError, match=f"a.yaml: {reason}") as caught:
        chain(str(path), [values.get("stage", "full")])
    assert "\n" not in str(caught.value)


def test_sides_that_a_backbone_takes_are_its_own(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yaml", crops={"sizes": [[0, 176]]}, network={"name": "siggraph17"})
    assert chain(str(path), ["full"])[0].crops.sizes == ((0, 176),)


def test_everything_that_a_recipe_leaves_to_be_given_is_named_in_one_line_with_how_to_get_it() -> None:
    with pytest.raises(InstcolorError) as caught:
        chain("lite", ORDER)
    message = str(caught.value)
    assert "not given: data.photos (folders of photos" in message
    assert "weights.encoder (ImageNet weights of timm's tf_efficientnet_lite2" in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"a: [", b"- 1", b"\xff\xfe\xff", b"stage: full"])
def test_a_file_that_is_no_config_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(InstcolorError, match=r"a\.yaml: ") as caught:
        Config.read(tmp_path / "a.yaml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("setting", ["seed", "=3", "seed=[1"])
def test_an_override_that_is_no_setting_is_refused(setting: str) -> None:
    with pytest.raises(InstcolorError, match="--set"):
        parse_overrides([setting])


# Names and chains


def test_configs_are_found_by_path_by_name_and_without_their_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = written(tmp_path / "mine-full.yaml")
    assert find_config(str(own), "full") == own
    assert find_config(str(tmp_path / "mine"), "full") == own
    assert find_config("lite-full", "full") == find_config("lite", "full") == BUNDLED / "lite-full.yaml"
    monkeypatch.chdir(tmp_path)
    assert find_config("mine", "full") == Path("mine-full.yaml")
    with pytest.raises(InstcolorError, match=r"other: no such config .* lite-full"):
        find_config("other", "full")


def test_in_a_chain_every_stage_takes_the_weights_of_those_before_it(tmp_path: Path) -> None:
    configs = chain("demo", ORDER, ["seed=3"])
    runs = [Path(config.run) / "model.safetensors" for config in configs]
    assert [c.stage for c in configs] == list(ORDER)
    assert [c.seed for c in configs] == [3, 3, 3]
    weights = [config.weights for config in configs]
    assert (weights[1].full, weights[2].full, weights[2].instance) == (str(runs[0]), str(runs[0]), str(runs[1]))
    moved = chain("demo", ("fusion",), ["weights.full=other.safetensors"], tmp_path)[0]
    assert moved.run == str(tmp_path / "fusion")
    assert moved.weights.full == "other.safetensors"
    assert moved.weights.instance == str(tmp_path / "instance" / "model.safetensors")


def test_in_a_chain_every_stage_takes_the_settings_that_are_its_own() -> None:
    configs = chain("demo", ORDER, ["optimizer.lr_encoder=0.5", "crops.surroundings=0.5", "augmentation.boxes=0.5"])
    assert [c.optimizer.lr_encoder for c in configs] == [0.5, 0.5, 3e-4]
    assert [c.crops.surroundings for c in configs] == [0.25, 0.5, 0.5]
    assert [c.augmentation.boxes for c in configs] == [0.04, 0.5, 0.5]
    with pytest.raises(InstcolorError, match="augmentation.boxes: not taken by the stage full"):
        chain("demo", ["full"], ["augmentation.boxes=0.5"])


def test_several_stages_cannot_share_a_run_folder() -> None:
    with pytest.raises(InstcolorError, match="cannot share a run folder"):
        chain("demo", ORDER, ["run=here"])


def test_a_config_of_another_stage_is_refused() -> None:
    with pytest.raises(InstcolorError, match="is for the stage full, not fusion"):
        chain("demo-full", ("fusion",))


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(InstcolorError, match="no stage 'everything': full, instance, fusion, detector"):
        chain("demo", ("everything",))


# The command


def test_the_command_trains_all_stages_and_the_same_command_goes_on(tmp_path: Path) -> None:
    photos = trainings.write_photos(tmp_path / "photos")
    settings = {"optimizer.samples": 2, "log.pictures": 2, "data.held_out": 2}
    for stage in ORDER:
        config = trainings.small(photos, tmp_path, stage, settings)
        (tmp_path / f"tiny-{stage}.yaml").write_text(config.to_yaml())
    command = ["train", "all", "--config", str(tmp_path / "tiny"), "--out", str(tmp_path / "runs")]
    done = CliRunner().invoke(app, [*command, "--set", "augmentation.film=1.0", "--set", "seed=5"])
    assert done.exit_code == 0, done.output
    for stage in ORDER:
        run = tmp_path / "runs" / stage
        assert str(run / "model.safetensors") in done.output
        kept = yaml.safe_load((run / "config.yaml").read_text())
        assert (kept["seed"], kept["augmentation"]["film"], kept["run"]) == (5, 1.0, str(run))
        lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
        assert lines[0].keys() >= {"step", "samples", "photos_per_second", "loss"}
        assert lines[1]["held_out"] > 0
        with Image.open(run / "pictures" / "results-00000001.png") as picture:
            assert picture.size == (3 * 68, 2 * 68)
    again = CliRunner().invoke(app, [*command, "--set", "augmentation.film=1.0", "--set", "seed=5"])
    assert again.exit_code == 0
    assert "goes on after step 1 of 1" in again.output


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["full", "--config", "nothing"], "nothing: no such config"),
        (["full", "--config", "demo", "--set", "nothing=1"], "no such setting: nothing"),
        (["full", "--config", "demo", "--set", "data.photos=[nowhere]"], "nowhere: no such folder"),
        (["all", "--config", "demo", "--set", "run=x"], "cannot share"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["train", *options])
    assert done.exit_code == 1
    assert reason in done.output
    assert done.output.count("\n") == 1
    assert done.output.startswith("error: ")


def test_prepare_writes_the_boxes_that_a_training_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from instcolor.objects import DetectedObject

    class Whole:
        def detect(self, L: np.ndarray) -> list[DetectedObject]:
            return [DetectedObject((0.0, 0.0, float(L.shape[1]), float(L.shape[0])), "dog", 0.9)]

    monkeypatch.setattr("instcolor.detectors.load_detector", lambda *a, **k: Whole())
    photos = trainings.write_photos(tmp_path / "photos", 3)
    out = tmp_path / "found.json"
    command = ["prepare", str(photos), "--detector", "whole", "--out", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "3 objects on 3 photos" in done.output
    assert [len(p["objects"]) for p in json.loads(out.read_text())["photos"]] == [1, 1, 1]
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 1
    assert "exists already" in again.output


# Logs


PICTURE = np.zeros((4, 6, 3), np.uint8)


def test_a_log_goes_on_from_its_checkpoint_and_torn_lines_are_dropped(tmp_path: Path) -> None:
    first = RunFolder(tmp_path, 0)
    for step in (1, 2, 3):
        first.log(step, {"loss": 1 / 3, "samples": 10_000_001})
    with (tmp_path / "log.jsonl").open("a") as log:
        log.write('{"step": 4, "lo')
    again = RunFolder(tmp_path, 2)
    again.log(3, {"loss": 0.5}, {"results": PICTURE})
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    kept = {"loss": 0.333333, "samples": 10_000_001}
    assert lines == [{"step": 1, **kept}, {"step": 2, **kept}, {"step": 3, "loss": 0.5}]
    with Image.open(tmp_path / "pictures" / "results-00000003.png") as picture:
        assert picture.size == (6, 4)


def test_tensorboard_gets_scalars_and_pictures(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    sink = TensorBoard(tmp_path, 0)
    sink.log(1, {"loss": 0.5}, {"results": PICTURE})
    sink.close()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.value for event in events.Scalars("loss")] == [0.5]
    assert events.Tags()["images"] == ["results"]


def test_wandb_works_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    config = trainings.small(tmp_path, tmp_path / "runs")
    (tmp_path / "runs" / "full").mkdir(parents=True)
    sink = Wandb(tmp_path / "runs" / "full", 0, config)
    sink.log(1, {"loss": 0.5}, {"results": PICTURE})
    sink.close()
    kept = list((tmp_path / "runs" / "full" / "wandb").glob("offline-run-*/*.wandb"))
    assert len(kept) == 1
    until = time.monotonic() + 60
    while b"loss" not in kept[0].read_bytes():  # a process of its own writes the file
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_log_whose_package_is_missing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("instcolor.training.sinks.find_spec", lambda package: None)
    config = trainings.small(tmp_path, tmp_path)
    with (
        pytest.raises(InstcolorError, match=f"--{name}: the package {name} is not installed"),
        opened(config, [name], 0),
    ):
        pass


def test_a_terminal_shows_pace_and_time_left_and_a_file_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress("lite full", 0, 10) as progress:
        progress.update(5, "30.0 photos/s, loss 1.500")
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("lite full", 0, 10) as progress:
        progress.update(5, "30.0 photos/s, loss 1.500")
    shown = capsys.readouterr().err
    assert "lite full" in shown
    assert "5/10" in shown
    assert "30.0 photos/s, loss 1.500" in shown
    assert re.search(r"\d:\d\d:\d\d|-:--:--", shown)

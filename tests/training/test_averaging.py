"""One set of weights from several."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file, save_file

from instcolor.errors import ModelError
from instcolor.training.averaging import average


def weights(folder: Path, name: str, **tensors: torch.Tensor) -> str:
    save_file(tensors, folder / name)
    return str(folder / name)


def test_the_mean_by_shares_large_tensors_as_half(tmp_path: Path) -> None:
    a, b = torch.rand(20, 20), torch.rand(20, 20)
    first = weights(tmp_path, "a", large=a, bias=torch.tensor([1.0]), steps=torch.tensor(3))
    second = weights(tmp_path, "b", large=b, bias=torch.tensor([5.0]), steps=torch.tensor(9))
    mixed = average([(first, 1), (second, 3)])
    torch.testing.assert_close(mixed["large"], (0.25 * a + 0.75 * b).half())
    assert mixed["bias"].tolist() == [4]
    assert mixed["bias"].dtype == torch.float32
    assert "steps" not in mixed


def test_what_only_some_have_is_the_mean_of_those(tmp_path: Path) -> None:
    first = weights(tmp_path, "a", old=torch.tensor([1.0]))
    second = weights(tmp_path, "b", old=torch.tensor([3.0]), new=torch.tensor([7.0]))
    mixed = average([(first, 0.5), (second, 0.5)])
    assert {name: value.item() for name, value in mixed.items()} == {"old": 2, "new": 7}


def test_another_networks_weights_are_refused(tmp_path: Path) -> None:
    first, second = weights(tmp_path, "a", x=torch.zeros(2)), weights(tmp_path, "b", x=torch.zeros(3))
    with pytest.raises(ModelError, match="b: x has another shape than in .*a$"):
        average([(first, 1), (second, 1)])


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "instcolor.training.averaging", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_as_a_command(tmp_path: Path) -> None:
    first, second = (weights(tmp_path, name, x=torch.tensor([value])) for name, value in (("a", 1.0), ("b", 2.0)))
    assert run(str(tmp_path / "new" / "mean"), first, "0.5", second, "0.5").returncode == 0
    assert load_file(tmp_path / "new" / "mean")["x"].tolist() == [1.5]
    missing = run(str(tmp_path / "mean"), first, "1", str(tmp_path / "none"), "1")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "none: not readable weights" in missing.stderr
    assert run(str(tmp_path / "mean"), first).stderr.startswith("usage:")

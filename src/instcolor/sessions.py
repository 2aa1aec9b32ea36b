"""ONNX Runtime sessions: on the CPU, quiet, and reporting to nobody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .cores import given_cores


def open_session(path: str | Path, threads: int | None = None) -> Any:
    """A session on an ONNX file; without `threads` it has as many as cores were given, else ONNX Runtime's own choice.

    Raises whatever ONNX Runtime raises: its errors have no common class of their own, see `reason`.
    """
    # Read once, on import: from 1.32 on it keeps a number of the machine in the home folder and reports its use.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong comes as an exception
    # threads that wait by spinning take the time of whoever else is at work
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    threads = threads or given_cores()
    if threads is not None:
        options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def reason(error: Exception) -> str:
    """An error of a library in one short line."""
    return (" ".join(str(error).split()) or type(error).__name__)[:160]

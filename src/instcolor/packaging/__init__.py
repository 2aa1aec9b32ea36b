"""The model workshop: others' checkpoints in, ONNX files, TOML and cards out."""

"""The exported networks on ONNX Runtime: NumPy in and out, no torch, no files but the models' own."""

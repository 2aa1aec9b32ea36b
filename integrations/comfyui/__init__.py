"""instcolor as ComfyUI nodes: load a colorizer, find objects, color images."""

from .nodes import comfy_entrypoint

__all__ = ["comfy_entrypoint"]

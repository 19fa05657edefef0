"""The seed models in PyTorch: TinyNeXt, EdgeNeXt and Next-ViT.

Names and sizes are known without PyTorch; it is imported when a model is built.
"""

from tinyflow.models.registry import ModelSpec, build_model, build_network, list_models, model_spec

__all__ = ["ModelSpec", "build_model", "build_network", "list_models", "model_spec"]

"""Products of activations and weights for CONV_2D and FULLY_CONNECTED, two output channels in
each half-word of the weights: the blocks and the weight stream that they read."""

from tinyflow.codegen.c.dsp.products.layer import bind_products, can_multiply, can_pair_pixels
from tinyflow.codegen.c.dsp.products.shape import ProductShape

__all__ = ["ProductShape", "bind_products", "can_multiply", "can_pair_pixels"]

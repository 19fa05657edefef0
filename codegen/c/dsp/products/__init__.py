"""Products of activations and weights for CONV_2D and FULLY_CONNECTED, two output channels in
each half-word of the weights: the blocks and the weight stream that they read."""

from tinyflow.codegen.c.dsp.products.layer import (
    MOST_RUNS,
    bind_products,
    can_multiply,
    can_pair_pixels,
    must_carry,
)
from tinyflow.codegen.c.dsp.products.shape import ProductShape

__all__ = [
    "MOST_RUNS",
    "ProductShape",
    "bind_products",
    "can_multiply",
    "can_pair_pixels",
    "must_carry",
]

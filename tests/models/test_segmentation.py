"""DeepLabv3 and the way from its logits to a class for every pixel."""

from __future__ import annotations

import numpy as np
import pytest

from tinyflow.ir.ops import argmax, resize_bilinear
from tinyflow.ir.ops.argmax import ArgmaxAttrs
from tinyflow.ir.ops.resize import ResizeAttrs
from tinyflow.models import build_model, example_inputs, randomize

torch = pytest.importorskip("torch")


def to(height: int, width: int) -> ResizeAttrs:
    return ResizeAttrs((height, width), half_pixel_centers=True)


@pytest.mark.parametrize("target", [(8, 8), (12, 20), (3, 2), (5, 7)])
def test_resize_as_torch_does(target: tuple[int, int]) -> None:
    maps = np.random.default_rng(1).normal(size=(1, 4, 5, 3))
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(maps).permute(0, 3, 1, 2), target, mode="bilinear", align_corners=False
    )
    resized = resize_bilinear.evaluate(to(*target), maps)
    np.testing.assert_allclose(resized, expected.permute(0, 2, 3, 1), atol=1e-12)


def test_resize_by_hand() -> None:
    row = resize_bilinear.evaluate(to(1, 8), np.array([0.0, 4.0]).reshape(1, 1, 2, 1))
    np.testing.assert_allclose(row.ravel(), [0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4])


def test_labels_are_the_first_of_equal_classes() -> None:
    logits = np.array([[1.0, 1.0], [0.0, 1.0]]).reshape(1, 1, 2, 2)
    labels = argmax.evaluate(ArgmaxAttrs(to(1, 2)), logits)
    assert labels.ravel().tolist() == [0, 1]
    assert argmax.evaluate(ArgmaxAttrs(to(2, 4)), logits).shape == (1, 2, 4, 1)


def test_the_pooled_view_is_everywhere() -> None:
    """Each view of the joined maps changes the logits, the pooled one all of them."""
    model = randomize(build_model("tinynext_s_deeplabv3", 4, 128), seed=1)
    x = example_inputs(model, 1)
    with torch.no_grad():
        expected = model(x)
        assert expected.shape == (1, 4, 4, 4)
        for view in (model.image_pool, *model.aspp):
            hook = view.register_forward_hook(lambda _, __, output: torch.zeros_like(output))
            change = model(x) - expected
            hook.remove()
            assert change.norm() > 0.05 * expected.norm()
            assert view is not model.image_pool or float(change.abs().amin((0, 1)).max()) > 0


def test_far_taps_meet_padding_only() -> None:
    """On 16 x 16 maps, those of 512 pixels, dilation 24 reaches nothing beside the centre."""
    model = build_model("tinynext_s_deeplabv3")
    conv = model.aspp[2][0]
    assert conv.dilation == (24, 24)
    x = torch.rand(1, 192, 16, 16)
    expected = torch.nn.functional.conv2d(x, conv.weight[:, :, 1:2, 1:2])
    assert torch.allclose(conv(x), expected, atol=1e-4)

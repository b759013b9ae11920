"""A model in float16, with images and logits in float32, as converters write it."""

import torch
from torch import nn
from torch.nn import functional as F


class Half(nn.Module):
    """Weights that float16 holds exactly: the gradient is that of the same numbers in longer types."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 8, 3, 2, 1), nn.LayerNorm(8)
        self.down, self.head = nn.Conv2d(8, 12, 3, 2, 1), nn.Linear(12, 10)

    def eval(self):
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(parameter.half())
        return super().eval()

    def forward(self, x):
        # Not GELU: its √2 would be another one in float16.
        y = F.silu(self.stem(x.to(self.stem.weight.dtype)))
        y = self.norm(y.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        y = torch.flatten(F.adaptive_avg_pool2d(F.relu(self.down(y)), 1), 1)
        return self.head(y).to(x.dtype)

"""The gradient of an LSTM whose state is rounded before every step, by autograd in float64: fixtures/quantisedLstm.json.

    python -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.13.0
    /tmp/torch/bin/python scripts/reference/quantisedLstm.py

com.microsoft.DynamicQuantizeLSTM of cases/quantisedLayers.ts, FOUR_STEPS, with the same numbers. Round
passes the gradient on, a scale has its own (of the largest and the least number it was made of), a zero point none.
"""

import json
import pathlib

import torch

STEPS, INPUTS, HIDDEN, DIRECTIONS = 4, 2, 3, 2
SCALES = [2**-7, 2**-8]


def generator(seed):
    """Lehmer's, as in __tests__/autodiff/support.ts."""
    while True:
        seed = seed * 48271 % 2147483647
        yield seed / 2147483647


def wholes(shape, seed, reach):
    random = generator(seed)
    count = torch.Size(shape).numel()
    return torch.tensor([int(next(random) * (2 * reach + 1)) - reach for _ in range(count)]).double().reshape(shape)


def reals(shape, seed):
    random = generator(seed)
    values = [-2 + 4 * next(random) for _ in range(torch.Size(shape).numel())]
    return torch.tensor(values, dtype=torch.float64).float().double().reshape(shape)


def pixels():
    random = generator(43)
    values = [-127, 128] + [int(next(random) * 256) - 127 for _ in range(STEPS * INPUTS - 2)]
    return torch.tensor(values, dtype=torch.float64).reshape(STEPS, INPUTS)


def passed(x):
    return x + (torch.round(x) - x).detach()


def rounded(x):
    """To uint8 and back, with one scale for all."""
    above, below = torch.relu(x.max()), torch.relu((-x).max())
    scale = (above + below) / 255 if above + below > 0 else torch.ones((), dtype=torch.float64)
    zero = torch.round(below / scale).detach()
    return (torch.clamp(passed(x / scale) + zero, 0, 255) - zero) * scale


def last_output(x, weights, states, bias):
    """ONNX's order of gates: input, output, forget, cell."""
    output = memory = torch.zeros(HIDDEN, dtype=torch.float64)
    for row in x:
        gates = row @ weights + rounded(output) @ states + bias
        i, o, f, c = gates.split(HIDDEN)
        memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(c)
        output = torch.sigmoid(o) * torch.tanh(memory)
    return output


def main():
    weights, states = wholes((DIRECTIONS, INPUTS, 4 * HIDDEN), 3, 90), wholes((DIRECTIONS, HIDDEN, 4 * HIDDEN), 4, 90)
    bias = reals((DIRECTIONS, 2, 4 * HIDDEN), 5).sum(1)
    x = pixels().requires_grad_()
    inner = rounded(x)
    outputs = [
        last_output(inner if way == 0 else inner.flip(0), SCALES[way] / 64 * weights[way], SCALES[way] * states[way], bias[way])
        for way in range(DIRECTIONS)
    ]
    y = torch.stack(outputs)
    (y * reals(y.shape, 29)).sum().backward()
    target = pathlib.Path(__file__).parents[2] / "fixtures" / "quantisedLstm.json"
    table = {"x": x.flatten().tolist(), "y": y.flatten().tolist(), "gradient": x.grad.flatten().tolist()}
    target.write_text(json.dumps(table, indent=2) + "\n")


main()

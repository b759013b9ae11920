"""Writes fixtures/attacks/autoattack-seeds.json: what AutoAttack by its authors leaves robust of the hardened fashion model
under L2, with several seeds.

    pip install torch==2.13.0 onnx==1.23.2 numpy pyautoattack==0.2.0
    python scripts/reference/autoattackSeeds.py [seeds]

pyautoattack packages https://github.com/fra31/auto-attack. In this model the loss has many summits, so what random starts
find differs from run to run: one run alone is no measure of another implementation.
"""

import json
import pathlib
import sys

import numpy
import onnx
import torch
from onnx import numpy_helper
from pyautoattack import AutoAttack
from torch import nn

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"
IMAGES = 200
EPSILON = 1.5


def load():
    graph = onnx.load(FIXTURES / "fashion" / "fashion-hardened.onnx").graph
    weights = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    layers = []
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv":
            weight, bias = weights[node.input[1]], weights[node.input[2]]
            layer = nn.Conv2d(*weight.shape[1::-1], 4, stride=attributes["strides"], padding=attributes["pads"][:2])
        elif node.op_type == "Gemm":
            weight, bias = weights[node.input[1]], weights[node.input[2]]
            layer = nn.Linear(*weight.shape[::-1])
        else:
            layers.append({"Relu": nn.ReLU, "Flatten": nn.Flatten}[node.op_type]())
            continue
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        layers.append(layer)
    return nn.Sequential(*layers).eval().requires_grad_(False)


def main(seeds):
    torch.set_num_threads(1)
    model = load()
    archive = numpy.load(FIXTURES / "fashion" / "fashion-test.npz")
    images = torch.from_numpy(archive["x"][:IMAGES].astype(numpy.float32) / numpy.float32(255))
    labels = torch.from_numpy(archive["y"][:IMAGES])
    runs = []
    for seed in range(seeds):
        attack = AutoAttack(model, norm="L2", eps=EPSILON, seed=seed, version="standard", device="cpu")
        result = attack.run_standard_evaluation(images, labels, batch_size=IMAGES)
        adversarial = result[0] if isinstance(result, tuple) else result
        robust = (model(adversarial).argmax(1) == labels).nonzero().flatten().tolist()
        print(f"seed {seed}: {len(robust)}", flush=True)
        runs.append({"seed": seed, "robustIndices": robust})
    result = {"model": "fashion-hardened", "norm": "l2", "epsilon": EPSILON, "samples": IMAGES, "runs": runs}
    (FIXTURES / "attacks" / "autoattack-seeds.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

"""Writes fixtures/models/: the models of models.py as PyTorch's exporters write them, and what PyTorch says of them.

    pip install torch==2.13.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0 numpy
    python scripts/reference/references.py
"""

import base64
import io
import json
import pathlib
import warnings

import numpy
import onnx
import torch
from torch import nn
from torch.nn import functional as F

import half
import handmade
import models
import quantised

OUT = pathlib.Path(__file__).parents[2] / "fixtures" / "models"
CIFAR, MNIST = (3, 32, 32), (1, 28, 28)
IMAGES = 2

# Architecture: how it is made, its images, its exports as (exporter, opset, batch).
ARCHITECTURES = {
    "vgg": (models.Vgg, CIFAR, [("torchscript", 11, "free"), ("dynamo", 18, "free")]),
    "resnet": (models.ResNet, CIFAR, [("torchscript", 9, 1), ("dynamo", 18, "free")]),
    "resnet-stem": (models.ResNetStem, CIFAR, [("torchscript", 7, "free"), ("dynamo", 22, 1)]),
    "densenet": (models.DenseNet, CIFAR, [("torchscript", 13, "free"), ("dynamo", 20, 1)]),
    "mobilenet-v2": (models.relu6, CIFAR, [("torchscript", 10, 1), ("dynamo", 18, "free")]),
    "mobilenet-v3": (models.mobilenet, CIFAR, [("torchscript", 14, "free"), ("dynamo", 18, 1)]),
    "efficientnet": (models.efficientnet, CIFAR, [("torchscript", 17, 1), ("dynamo", 18, "free")]),
    "shufflenet": (models.shufflenet, CIFAR, [("torchscript", 12, 1), ("dynamo", 18, "free")]),
    "groupnorm": (models.GroupNormNet, CIFAR, [("torchscript", 16, "free"), ("dynamo", 21, 1)]),
    "convnext": (models.ConvNext, CIFAR, [("torchscript", 13, "free"), ("torchscript", 17, 1), ("dynamo", 20, "free")]),
    "vit": (models.Vit, CIFAR, [("torchscript", 17, 1), ("dynamo", 18, "free"), ("dynamo", 23, "free")]),
    "vit-timm": (models.TimmVit, CIFAR, [("torchscript", 14, "free"), ("dynamo", 20, 1)]),
    "swin": (models.Swin, CIFAR, [("torchscript", 16, 1), ("dynamo", 18, "free")]),
    "lstm": (lambda: models.Recurrent(nn.LSTM, "last"), MNIST, [("torchscript", 14, 1), ("dynamo", 18, "free")]),
    "lstm-bidirectional": (
        lambda: models.Recurrent(nn.LSTM, "mean", bidirectional=True, num_layers=2), MNIST, [("torchscript", 17, "free")]
    ),
    "gru": (lambda: models.Recurrent(nn.GRU, "last"), MNIST, [("torchscript", 13, "free")]),
    "rnn": (lambda: models.Recurrent(nn.RNN, "mean"), MNIST, [("torchscript", 13, "free")]),
    "one-logit": (lambda: models.Head(1, nn.Identity()), MNIST, [("torchscript", 13, 1), ("dynamo", 18, "free")]),
    "one-probability": (lambda: models.Head(1, nn.Sigmoid()), MNIST, [("torchscript", 15, "free")]),
    "softmax": (lambda: models.Head(10, nn.Softmax(1)), MNIST, [("torchscript", 12, "free"), ("dynamo", 18, 1)]),
    "log-softmax": (lambda: models.Head(10, nn.LogSoftmax(1)), MNIST, [("torchscript", 13, 1), ("dynamo", 18, "free")]),
    "keras": (handmade.Keras, MNIST, []),
    "int8": (lambda: quantised.Straight(int8("qdq")), MNIST, []),
    "vit-gated": (models.GatedVit, CIFAR, [("dynamo", 18, "free"), ("dynamo", 23, 1)]),
    "int8-dynamic": (lambda: quantised.Straight(int8("dynamic")), MNIST, []),
    "half": (half.Half, MNIST, []),
}  # fmt: skip


# Forms that PyTorch does not write, from the module.
FORMS = {
    "keras": {"nhwc": handmade.tf2onnx},
    "int8": {"qdq": lambda model: model.source, "qoperator": lambda _: int8("qoperator")},
    "int8-dynamic": {"integer": lambda model: model.source},
    "half": {"float16": lambda model: export(model.half(), MNIST, "torchscript", 17, "free")},
}


def images(first, shape):
    """Multiples of the golden ratio, modulo 1: the same numbers as `pixels` in __tests__/autodiff/models.test.ts."""
    size = int(numpy.prod(shape))
    places = numpy.arange(first * size + 1, (first + IMAGES) * size + 1, dtype=numpy.float64)
    return torch.from_numpy((places * 0.6180339887498949 % 1).astype(numpy.float32).reshape(IMAGES, *shape))


def build(make, shape, seed):
    """Random weights; statistics of normalisation from random images; scales and shifts that are not 1 and 0."""
    torch.manual_seed(seed)
    model = make()
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d, nn.RMSNorm)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            if getattr(module, "bias", None) is not None:
                nn.init.normal_(module.bias, 0, 0.3)
            module.momentum = None
    model.train()
    with torch.no_grad():
        model(torch.rand(64, *shape))
    return model.eval()


def differentiate(model, x, labels=None):
    """Logits and d cross-entropy / d x of each image; the labels are those of the least likely classes."""
    x = x.clone().requires_grad_()
    logits = model.logits(x) if hasattr(model, "logits") else model(x)
    pair = torch.cat([torch.zeros_like(logits), logits], 1) if logits.shape[1] == 1 else logits
    labels = pair.argmin(1) if labels is None else labels
    F.cross_entropy(pair, labels, reduction="sum").backward()
    return pair.detach(), x.grad, labels


def distance(a, b):
    return ((a.double() - b.double()).abs().max() / b.double().abs().max()).item()


def int8(form):
    torch.manual_seed(0)
    exported = export(quantised.Plain().eval(), MNIST, "torchscript", 17, "free")
    return quantised.quantise_dynamically(exported) if form == "dynamic" else quantised.quantise(exported, MNIST, form)


def reference(make, shape, seed):
    """In float64 with the weights of float32, on images far enough from every kink that rounding does not cross one."""
    model, double = build(make, shape, seed), build(make, shape, seed).double()
    # Every pixel and every activation of a quantised model has a step nearby.
    rounding = 2e-7 if isinstance(model, quantised.Straight) else 1e-6
    for first in range(0, 400, IMAGES):
        x = images(first, shape)
        logits, gradient, labels = differentiate(double, x.double())
        shifted = [x.double() + rounding * torch.randn(x.shape).double() for _ in range(8)]
        single = differentiate(model, x, labels)
        others = [single, *[differentiate(double, other, labels) for other in shifted]]
        if all(distance(other[0], logits) < 1e-4 and distance(other[1], gradient) < 1e-4 for other in others):
            return {
                "shape": shape,
                "first": first,
                "labels": labels.tolist(),
                "logits": packed(logits),
                "gradient": packed(gradient),
                "float32": {"logits": distance(single[0], logits), "gradient": distance(single[1], gradient)},
            }
    raise SystemExit("every pair of images is beside a kink")


def packed(tensor):
    return base64.b64encode(tensor.detach().numpy().astype("<f4").tobytes()).decode()


def export(model, shape, exporter, opset, batch):
    # The newer exporter takes an example's batch of 1 for a constant.
    x = torch.rand(1 if batch == 1 else 2, *shape)
    buffer = io.BytesIO()
    names = {"input_names": ["image"], "output_names": ["output"]}
    if exporter == "torchscript":
        axes = {} if batch == 1 else {"image": {0: "batch"}, "output": {0: "batch"}}
        torch.onnx.export(model, (x,), buffer, opset_version=opset, dynamo=False, dynamic_axes=axes, **names)
    else:
        shapes = None if batch == 1 else ({0: torch.export.Dim("batch")},)
        program = torch.onnx.export(
            model, (x,), opset_version=opset, dynamo=True, dynamic_shapes=shapes, verbose=False, **names
        )
        program.save(buffer, external_data=False)
    return without_origin(onnx.load_from_string(buffer.getvalue()))


def without_origin(model):
    """The exporters write down which line of which file a node came from: paths of this machine, and half of the bytes."""
    for graph in [model.graph, *model.functions]:
        for node in graph.node:
            node.ClearField("doc_string")
            node.ClearField("metadata_props")
    return model


def main():
    warnings.filterwarnings("ignore")
    OUT.mkdir(parents=True, exist_ok=True)
    found = {}
    for seed, (name, (make, shape, exports)) in enumerate(ARCHITECTURES.items()):
        found[name] = reference(make, shape, seed)
        written = [
            (f"{name}-{exporter}-{opset}{'-fixed' if batch == 1 else ''}.onnx",
             lambda args=(exporter, opset, batch): export(build(make, shape, seed), shape, *args))
            for exporter, opset, batch in exports
        ]  # fmt: skip
        written += [(f"{name}-{form}.onnx", lambda to=to: to(build(make, shape, seed))) for form, to in FORMS.get(name, {}).items()]
        for file, model in written:
            data = model().SerializeToString()
            (OUT / file).write_bytes(data)
            print(f"{len(data):7d} {file}")
        found[name]["files"] = [file for file, _ in written]
    text = json.dumps({"torch": torch.__version__, "models": found}, indent=1)
    (OUT / "references.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

"""Int8 models as onnxruntime's quantisers write them, and their straight-through gradients by autograd."""

import logging
import pathlib
import tempfile

import numpy
import onnx
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from torch import nn
from torch.nn import functional as F


class Plain(nn.Module):
    """Convolutions with a skip, both pools and two linear layers: what the quantiser has operators for."""

    def __init__(self):
        super().__init__()
        self.stem, self.block = nn.Conv2d(1, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.down, self.hidden, self.head = nn.Conv2d(8, 12, 3, 2, 1), nn.Linear(12, 24), nn.Linear(24, 10)

    def forward(self, x):
        x = F.relu(self.stem(x))
        x = F.relu(x + self.block(x))
        x = F.relu(self.down(F.max_pool2d(x, 2)))
        return self.head(F.relu(self.hidden(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))))


class Images(CalibrationDataReader):
    def __init__(self, shape):
        random = numpy.random.default_rng(0)
        self.left = iter([{"image": random.random((1, *shape), dtype=numpy.float32)} for _ in range(16)])

    def get_next(self):
        return next(self.left, None)


def quantise(model, shape, form):
    """`qdq` or `qoperator`: uint8 activations, int8 weights with a scale per channel."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "float.onnx"), pathlib.Path(folder, "int8.onnx")
        onnx.save(model, source)
        quantize_static(
            source,
            target,
            Images(shape),
            quant_format=QuantFormat.QDQ if form == "qdq" else QuantFormat.QOperator,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(target)


def quantise_dynamically(model):
    """Int8 weights, a scale per channel; activations become uint8 as they come, with a scale that fits each."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "float.onnx"), pathlib.Path(folder, "int8.onnx")
        onnx.save(model, source)
        quantize_dynamic(source, target, weight_type=QuantType.QInt8)
        return onnx.load(target)


class Straight(nn.Module):
    """A quantised model in PyTorch: rounding passes the gradient on, and beyond the range of the type it is 0."""

    def __init__(self, model):
        super().__init__()
        self.source = model
        self.nodes = list(model.graph.node)
        for tensor in model.graph.initializer:
            self.register_buffer(mangled(tensor.name), torch.tensor(numpy_helper.to_array(tensor)))
        self.output = model.graph.output[0].name

    def forward(self, x):
        values = {"image": x}

        def value(name):
            known = values[name] if name in values else getattr(self, mangled(name))
            return known.to(x.dtype)

        for node in self.nodes:
            attributes = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
            results = OPERATORS[node.op_type](*map(value, node.input), **attributes)
            values.update(zip(node.output, results if isinstance(results, tuple) else (results,)))
        return values[self.output]


def mangled(name):
    return "value_" + name.replace(".", "_dot_").replace("/", "_")


def placed(parameter, rank, axis):
    return parameter.reshape([-1 if at == axis else 1 for at in range(rank)]) if parameter.dim() == 1 else parameter


def quantize_linear(x, scale, zero_point):
    """Of activations: uint8, one scale."""
    steps = x / scale
    return (steps + (steps.round() - steps).detach() + zero_point).clamp(0, 255)


def dequantize_linear(x, scale, zero_point, axis=1):
    return (x - placed(zero_point, x.dim(), axis)) * placed(scale, x.dim(), axis)


def dynamic_quantize_linear(x):
    """Image by image, as the model does with one at a time; the scale has a gradient, the zero point none.

    Nothing lies outside a range that was made for it, so nothing is clamped: that would cut the gradient of the largest
    where rounding leaves it at 255 and a bit.
    """
    axes = tuple(range(1, x.dim()))
    low, high = x.amin(axes, keepdim=True).clamp(max=0), x.amax(axes, keepdim=True).clamp(min=0)
    scale = (high - low) / 255
    zero_point = (-low / scale).round().detach()
    steps = x / scale
    return steps + (steps.round() - steps).detach() + zero_point, scale, zero_point


def conv_integer(x, weight, x_zero, w_zero, strides, pads, dilations, group, kernel_shape):
    return F.conv2d(x - x_zero, weight - w_zero, None, strides, pads[:2], dilations, group)


def conv(x, weight, bias, strides, pads, dilations, group, kernel_shape):
    return F.conv2d(x, weight, bias, strides, pads[:2], dilations, group)


# What such a model consists of.
OPERATORS = {
    "QuantizeLinear": quantize_linear,
    "DequantizeLinear": dequantize_linear,
    "DynamicQuantizeLinear": dynamic_quantize_linear,
    "ConvInteger": conv_integer,
    "MatMulInteger": lambda a, b, a_zero, b_zero: (a - a_zero) @ (b - b_zero),
    "Cast": lambda x, to: x,
    "Mul": torch.mul,
    "Reshape": lambda x, to: x.reshape([int(size) for size in to]),
    "Conv": conv,
    "Add": torch.add,
    "Relu": F.relu,
    "MaxPool": lambda x, kernel_shape, strides, **_: F.max_pool2d(x, kernel_shape, strides),
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "Flatten": lambda x, axis=1: x.flatten(axis),
    "Gemm": lambda a, b, c, alpha=1, beta=1, transB=0: a @ (b.T if transB else b) + c,
}

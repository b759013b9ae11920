"""Models in forms that PyTorch does not write, made by hand from PyTorch modules, so that autograd still is the reference."""

import numpy
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F


class Keras(nn.Module):
    """Padding `same`, which is lopsided for even kernels and strides; BatchNormalization, ReLU6, a mean over the image."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm = nn.Conv2d(1, 6, 3, 2), nn.BatchNorm2d(6, eps=1e-3)
        self.depthwise, self.conv2 = nn.Conv2d(6, 6, 4, groups=6), nn.Conv2d(6, 12, 1)
        self.conv3, self.head = nn.Conv2d(12, 12, 3, 2), nn.Linear(12 * 4 * 4, 10)

    def logits(self, x):
        x = F.relu6(self.norm(self.conv1(F.pad(x, (0, 1, 0, 1)))))
        x = F.relu(self.conv2(self.depthwise(F.pad(x, (1, 2, 1, 2)))))
        x = F.max_pool2d(F.pad(x, (0, 0, 0, 0)), 2)
        x = F.leaky_relu(self.conv3(F.pad(x, (1, 1, 1, 1))), 0.2)
        return self.head(x.permute(0, 2, 3, 1).flatten(1))

    def forward(self, x):
        return self.logits(x).softmax(1)


def tf2onnx(model):
    """Keras' form as tf2onnx writes it: NHWC outside, transposed around what ONNX has in NCHW only."""
    nodes, weights = [], []

    def constant(name, value, kind=numpy.float32):
        array = value.detach().numpy() if isinstance(value, torch.Tensor) else numpy.array(value)
        weights.append(numpy_helper.from_array(numpy.ascontiguousarray(array.astype(kind)), name))
        return name

    def add(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(x, layer, output, **attributes):
        inputs = [x, constant(f"{output}/kernel", layer.weight), constant(f"{output}/bias", layer.bias)]
        size = layer.kernel_size
        return add("Conv", inputs, output, kernel_shape=size, strides=layer.stride, group=layer.groups, **attributes)

    x = add("Transpose", ["image"], "model/conv1__6", perm=[0, 3, 1, 2])
    x = conv(x, model.conv1, "model/conv1", auto_pad="SAME_UPPER")
    norm = model.norm
    statistics = [norm.weight, norm.bias, norm.running_mean, norm.running_var]
    names = [constant(f"model/norm/{place}", value) for place, value in enumerate(statistics)]
    x = add("BatchNormalization", [x, *names], "model/norm", epsilon=norm.eps)
    x = add("Clip", [x, constant("zero", 0.0), constant("six", 6.0)], "model/relu6")
    x = conv(x, model.depthwise, "model/depthwise", auto_pad="SAME_UPPER")
    x = add("Transpose", [x], "model/depthwise__12", perm=[0, 2, 3, 1])
    x = add("Transpose", [x], "model/conv2__13", perm=[0, 3, 1, 2])
    x = add("Relu", [conv(x, model.conv2, "model/conv2", auto_pad="VALID")], "model/relu")
    x = add("MaxPool", [x], "model/pool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="VALID")
    x = add("Pad", [x, constant("paddings", [0, 0, 1, 1, 0, 0, 1, 1], numpy.int64)], "model/pad")
    x = add("LeakyRelu", [conv(x, model.conv3, "model/conv3", auto_pad="VALID")], "model/leaky", alpha=0.2)
    x = add("Transpose", [x], "model/leaky__20", perm=[0, 2, 3, 1])
    x = add("Reshape", [x, constant("const_fold_opt__21", [-1, 192], numpy.int64)], "model/flatten")
    x = add("MatMul", [x, constant("model/dense/kernel", model.head.weight.T)], "model/dense/MatMul")
    x = add("Add", [x, constant("model/dense/bias", model.head.bias)], "model/dense/BiasAdd")
    add("Softmax", [x], "output", axis=-1)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tf2onnx",
        [value("image", TensorProto.FLOAT, ["unk__22", 28, 28, 1])],
        [value("output", TensorProto.FLOAT, ["unk__23", 10])],
        weights,
    )
    return helper.make_model(graph, producer_name="tf2onnx", opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


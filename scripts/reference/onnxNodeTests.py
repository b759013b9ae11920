"""Collects node tests of the ONNX standard (Apache-2.0) as fixtures/onnx-node-tests/selection.zip.

    python -m venv /tmp/onnx && /tmp/onnx/bin/pip install onnx==1.23.2
    apt-get install libonnx-testdata
    /tmp/onnx/bin/python scripts/reference/onnxNodeTests.py

Debian's package has the tests of ONNX 1.12 (opsets 7 to 17), the Python package makes those of the opsets since. Every
operator at every opset gets its smallest cases, as many as fit.
"""

import io
import pathlib
import sys
import zipfile

import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

DEBIAN = pathlib.Path("/usr/share/libonnx-testdata/data/node")
TARGET = pathlib.Path(__file__).parents[2] / "fixtures/onnx-node-tests/selection.zip"
NEWEST_OPSET = 24
CASES_PER_VERSION = 10
LARGEST_CASE = 4_000


def debian_cases():
    for folder in sorted(DEBIAN.iterdir()):
        inputs = []
        while (path := folder / f"test_data_set_0/input_{len(inputs)}.pb").exists():
            inputs.append(path.read_bytes())
        yield folder.name, onnx.load(folder / "model.onnx"), inputs


def newer_cases():
    for case in collect_testcases(None):
        if case.model is None or not case.data_sets:
            continue
        try:
            inputs = [serialised(value) for value in case.data_sets[0][0]]
        except (TypeError, ValueError, AttributeError):
            continue  # A sequence or an optional: nothing that a classifier takes.
        yield f"{case.name}_{opset_of(case.model)}", case.model, inputs


def serialised(value):
    if isinstance(value, onnx.TensorProto):
        return value.SerializeToString()
    return numpy_helper.from_array(value).SerializeToString()


def opset_of(model):
    return next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)


def main():
    groups = {}
    names = set()
    for name, model, inputs in [*debian_cases(), *newer_cases()]:
        opset = opset_of(model)
        if not 7 <= opset <= NEWEST_OPSET or name in names:
            continue
        names.add(name)
        size = model.ByteSize() + sum(map(len, inputs))
        operators = tuple(sorted({node.op_type for node in model.graph.node}))
        groups.setdefault((operators, opset), []).append((size, name, model, inputs))
    chosen = []
    for group in groups.values():
        group.sort(key=lambda case: case[:2])
        chosen += [group[0], *(case for case in group[1:CASES_PER_VERSION] if case[0] <= LARGEST_CASE)]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for _, name, model, inputs in sorted(chosen, key=lambda case: case[1]):
            add(archive, f"{name}/model.onnx", model.SerializeToString())
            for place, data in enumerate(inputs):
                add(archive, f"{name}/test_data_set_0/input_{place}.pb", data)
    print(f"{len(chosen)} of {len(names)} cases, {TARGET.stat().st_size} bytes", file=sys.stderr)


def add(archive, name, data):
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


if __name__ == "__main__":
    main()

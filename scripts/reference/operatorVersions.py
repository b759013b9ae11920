"""Writes what the ONNX standard says of its operators: operatorVersions.json, the versions of each that opsets 7 to 24 use, and
operatorAttributes.json, the attributes of the newest of them and their defaults (null: none, or one that follows from others).
contributedAttributes.json says the same of the operators that onnxruntime adds (com.microsoft) and of ai.onnx.ml.

    python -m venv /tmp/onnx && /tmp/onnx/bin/pip install onnx==1.23.2 onnxruntime==1.32.0
    /tmp/onnx/bin/python scripts/reference/operatorVersions.py
    npx prettier --write scripts/reference/operatorAttributes.json scripts/reference/contributedAttributes.json
"""

import json
import pathlib

import onnx
import onnx.defs
import onnx.helper
from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

OLDEST, NEWEST = 7, 24


def main():
    versions, deprecated, newest = {}, set(), {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and schema.since_version <= NEWEST:
            versions.setdefault(schema.name, set()).add(schema.since_version)
            if schema.deprecated:
                deprecated.add((schema.name, schema.since_version))
            elif schema.name not in newest or newest[schema.name].since_version < schema.since_version:
                newest[schema.name] = schema
    table = {}
    for name, since in sorted(versions.items()):
        first = max((version for version in since if version <= OLDEST), default=OLDEST)
        used = sorted(version for version in since if version >= first and (name, version) not in deprecated)
        if used:
            table[name] = used
    write("operatorVersions.json", table)
    write("operatorAttributes.json", {name: attributes(newest[name]) for name in table})
    write("contributedAttributes.json", contributed())


def contributed():
    newest = {}
    for schema in get_all_operator_schema():
        name = f"{schema.domain}.{schema.name}"
        known = newest.get(name)
        if schema.domain in ("com.microsoft", "ai.onnx.ml") and (known is None or known.since_version < schema.since_version):
            newest[name] = schema
    return {
        name: {key: default(proto(one)) for key, one in sorted(schema.attributes.items())}
        for name, schema in sorted(newest.items())
    }


def proto(attribute):
    return onnx.AttributeProto.FromString(attribute._default_value)


def attributes(schema):
    return {name: default(schema.attributes[name].default_value) for name in sorted(schema.attributes)}


def default(proto):
    if proto.type == onnx.AttributeProto.UNDEFINED:
        return None
    value = onnx.helper.get_attribute_value(proto)
    values = value if isinstance(value, list) else [value]
    plain = [one.decode() if isinstance(one, bytes) else one for one in values]
    return plain if isinstance(value, list) else plain[0]


def write(name, table):
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in table.items())
    pathlib.Path(__file__).with_name(name).write_text("{\n" + lines + "\n}\n")


main()

"""Writes the versions of every operator of the ONNX standard that opsets 7 to 24 use: operatorVersions.json.

    python -m venv /tmp/onnx && /tmp/onnx/bin/pip install onnx==1.23.2
    /tmp/onnx/bin/python scripts/reference/operatorVersions.py
"""

import json
import pathlib

import onnx.defs

OLDEST, NEWEST = 7, 24


def main():
    versions, deprecated = {}, set()
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and schema.since_version <= NEWEST:
            versions.setdefault(schema.name, set()).add(schema.since_version)
            if schema.deprecated:
                deprecated.add((schema.name, schema.since_version))
    table = {}
    for name, since in sorted(versions.items()):
        first = max((version for version in since if version <= OLDEST), default=OLDEST)
        used = sorted(version for version in since if version >= first and (name, version) not in deprecated)
        if used:
            table[name] = used
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(used)}" for name, used in table.items())
    target = pathlib.Path(__file__).with_name("operatorVersions.json")
    target.write_text("{\n" + lines + "\n}\n")


main()

import { fromBinary } from '@bufbuild/protobuf'
import { unzipSync } from 'fflate'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TensorProtoSchema } from 'onnx-buf'
import type { Tensor } from '../../../src/onnx/graph.js'
import { readTensor } from '../../../src/onnx/tensor.js'

/** One of the standard's own node tests: a model and what it is fed. */
export interface StandardCase {
  readonly name: string
  readonly model: Uint8Array
  /** In the order of the model's inputs. Throws where an input is no tensor (a sequence, an optional). */
  readonly inputs: () => readonly Tensor[]
}

/** Where Debian's libonnx-testdata puts them; ONNX_TESTDATA names another place. */
const FOLDER = process.env.ONNX_TESTDATA ?? '/usr/share/libonnx-testdata/data/node'
const SELECTION = 'fixtures/onnx-node-tests/selection.zip'

/** Debian's package, where it is installed. */
export const installed: readonly StandardCase[] = existsSync(FOLDER)
  ? readdirSync(FOLDER)
      .toSorted()
      .map((name) => standardCase(name, (file) => new Uint8Array(readFileSync(join(FOLDER, name, file)))))
  : []

/** The committed ones: see fixtures/README.md. */
export function selection(): readonly StandardCase[] {
  const files = unzipSync(new Uint8Array(readFileSync(SELECTION)))
  const names = new Set(Object.keys(files).map((path) => path.slice(0, path.indexOf('/'))))
  return [...names].toSorted().map((name) =>
    standardCase(name, (file) => {
      const path = `${name}/${file}`
      if (!(path in files)) throw new Error(`${path} is missing`)
      return files[path]
    }),
  )
}

function standardCase(name: string, read: (file: string) => Uint8Array): StandardCase {
  return {
    name,
    get model() {
      return read('model.onnx')
    },
    inputs: () => {
      const tensors: Tensor[] = []
      for (;;) {
        const bytes = attempt(() => read(`test_data_set_0/input_${tensors.length}.pb`))
        if (bytes === undefined) return tensors
        tensors.push(readTensor(fromBinary(TensorProtoSchema, bytes), { name, external: {} }))
      }
    },
  }
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

import { create, toBinary } from '@bufbuild/protobuf'
import { zipSync } from 'fflate'
import {
  ModelProtoSchema,
  TensorProto_DataType as DataType,
  TensorShapeProto_DimensionSchema as DimensionSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf'

/** Small files of the kinds users bring, made byte by byte so that each test says what is in them. */

interface ModelDescription {
  readonly inputs: readonly {
    readonly name: string
    readonly type: DataType
    readonly dims: readonly (number | string)[]
  }[]
  /** In order; the last one's output is the graph's. */
  readonly nodes: readonly { readonly op: string; readonly inputs: readonly string[]; readonly output: string }[]
  /** Zeros of these shapes. */
  readonly weights?: Readonly<Record<string, readonly number[]>>
  readonly output: readonly (number | string)[]
}

export function onnxModel({ inputs, nodes, weights = {}, output }: ModelDescription): Uint8Array {
  const last = nodes[nodes.length - 1].output
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 17n }],
      graph: {
        name: 'test',
        input: inputs.map(({ name, type, dims }) => valueInfo(name, type, dims)),
        output: [valueInfo(last, DataType.FLOAT, output)],
        node: nodes.map(({ op, inputs: names, output: out }) => ({
          opType: op,
          name: `${op}_node`,
          input: [...names],
          output: [out],
        })),
        initializer: Object.entries(weights).map(([name, dims]) => ({
          name,
          dataType: DataType.FLOAT,
          dims: dims.map(BigInt),
          floatData: Array<number>(dims.reduce((product, length) => product * length, 1)).fill(0),
        })),
      },
    }),
  )
}

export { DataType }

function valueInfo(name: string, elemType: DataType, dims: readonly (number | string)[]) {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType,
          shape: {
            dim: dims.map((dim) =>
              create(DimensionSchema, {
                value:
                  typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
              }),
            ),
          },
        },
      },
    },
  })
}

/** A .npz as numpy.savez writes it: `x` float32, `y` int64. */
export function npz(x: Float32Array, shape: readonly number[], y: readonly number[]): Uint8Array {
  const labels = new BigInt64Array(y.map(BigInt))
  return zipSync({
    'x.npy': npy('<f4', shape, new Uint8Array(x.buffer, x.byteOffset, x.byteLength)),
    'y.npy': npy('<i8', [y.length], new Uint8Array(labels.buffer)),
  })
}

/** numpy's format 1.0: magic, header of Python literals padded to a multiple of 64, data in row-major order. */
function npy(descr: string, shape: readonly number[], data: Uint8Array): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${dims}), }`
  const length = Math.ceil((10 + header.length + 1) / 64) * 64
  const start = new Uint8Array(length).fill(0x20)
  start.set([0x93, ...Buffer.from('NUMPY'), 1, 0, (length - 10) & 0xff, (length - 10) >> 8])
  start.set(Buffer.from(header), 10)
  start[length - 1] = 0x0a
  return Buffer.concat([start, data])
}

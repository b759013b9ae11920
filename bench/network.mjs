import { makeNode } from '../.build/onnx/attributes.js'
import { encodeModel } from '../.build/onnx/codec.js'

/** The same numbers on every run (Lehmer's generator), roughly normal. */
function normals(count, scale) {
  let state = 20151210
  const uniform = () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  return Float32Array.from(
    { length: count },
    () => scale * (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3),
  )
}

const product = (dims) => dims.reduce((total, size) => total * size, 1)

/** Writes networks with random weights, as exporters write them: speed does not depend on the weights. */
export class Network {
  #nodes = []
  #constants = new Map()
  #count = 0

  weight(dims, fanIn = product(dims.slice(1)) || 1) {
    return this.constant({ type: 'float32', dims, data: normals(product(dims), Math.sqrt(1 / fanIn)) })
  }

  constant(tensor) {
    const name = `w${this.#count++}`
    this.#constants.set(name, tensor)
    return name
  }

  ints(values) {
    return this.constant({ type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) })
  }

  scalar(value) {
    return this.constant({ type: 'float32', dims: [], data: Float32Array.of(value) })
  }

  add(op, inputs, attributes = {}, outputs = 1) {
    const names = Array.from({ length: outputs }, () => `v${this.#count++}`)
    this.#nodes.push(makeNode(op, inputs, names, attributes, names[0]))
    return outputs === 1 ? names[0] : names
  }

  /** Batch normalisation is folded into the weights, as exporters do. */
  conv(x, from, to, kernel, { stride = 1, group = 1 } = {}) {
    const pad = (kernel - 1) / 2
    const inputs = [x, this.weight([to, from / group, kernel, kernel]), this.weight([to])]
    const [strides, pads] = [
      [stride, stride],
      [pad, pad, pad, pad],
    ]
    return this.add('Conv', inputs, { kernel_shape: [kernel, kernel], strides, pads, group })
  }

  linear(x, from, to) {
    return this.add('Gemm', [x, this.weight([to, from]), this.weight([to])], { transB: 1 })
  }

  /** ONNX bytes of a classifier of images [N, 3, 32, 32]. */
  encode(name, logits, opset = 17) {
    this.#nodes.push(makeNode('Identity', [logits], ['logits'], {}, 'logits'))
    return encodeModel({
      name,
      opsets: new Map([['', opset]]),
      irVersion: 8,
      inputs: [{ name: 'image', type: 'float32', dims: ['batch', 3, 32, 32] }],
      outputs: [{ name: 'logits', type: 'float32', dims: ['batch', 10] }],
      nodes: this.#nodes,
      constants: this.#constants,
    })
  }
}

import { TestEnvironment } from 'jest-environment-node'

/** onnxruntime's addon checks tensors with the host realm's typed arrays; a jest realm has its own. Share them. */
export default class HostTypedArrays extends TestEnvironment {
  async setup() {
    await super.setup()
    const names = ['ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'BigInt64Array', 'BigUint64Array']
    for (const kind of ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'])
      names.push(`${kind}Array`)
    names.push('Uint8ClampedArray')
    if (globalThis.Float16Array) names.push('Float16Array')
    for (const name of names) this.global[name] = globalThis[name]
  }
}

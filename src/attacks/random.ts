import { createHash } from 'node:crypto'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

/** A stream of random numbers. */
export interface Random {
  /** Float64 in [0, 1). */
  uniform(): number
  /** Standard normal. */
  gaussian(): number
}

/** The stream of one place in an attack. Asked twice, it starts twice from the beginning. */
export type RandomSource = (restart: number, step: number) => Random

/** SHA-256 of an image's float32 values: what makes an image's random numbers its own, wherever it stands in a dataset. */
export function imageDigest(pixels: Float32Array): Uint8Array {
  return createHash('sha256')
    .update(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength))
    .digest()
}

/**
 * Random numbers as a function of (seed, image, attack, restart, step) and of nothing else: not of the batch, the
 * order of the images, the worker, nor of how many numbers were drawn before.
 *
 * @param attack the attack's id in its suite
 */
export function randomSource(seed: number, image: Uint8Array, attack: string): RandomSource {
  return (restart, step) => {
    const key = createHash('sha256')
      .update(image)
      .update(JSON.stringify([seed, attack, restart, step]))
      .digest()
    return randomStream([0, 4, 8, 12].map((offset) => key.readInt32LE(offset)))
  }
}

/** xoroshiro128+ from its 128 bits of state, as four int32. */
export function randomStream(state: readonly number[]): Random {
  const generator = xoroshiro128plusFromState(state)
  const uniform = (): number => uniformFloat64(generator)
  let spare: number | undefined
  return {
    uniform,
    // Box and Muller 1958: two independent normals from two uniforms; 1 − u keeps the logarithm off zero.
    gaussian() {
      if (spare !== undefined) {
        const kept = spare
        spare = undefined
        return kept
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
      const angle = 2 * Math.PI * uniform()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
  }
}

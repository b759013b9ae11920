import { readNpz } from '../data/npz.js'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'
import type { Witness } from './collector.js'
import type { Results } from './results.js'
import { witnessArchive } from './witnesses.js'

/** A shard's adversarial examples, and what its results say of the images they are of. */
export interface NamedArchive {
  /** For messages. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly results: Results
}

/**
 * Joins the adversarial examples that the shards of one evaluation have found within a threat, given in any order, into what it
 * would have written as a whole: equal to the byte. The archives may be a stranger's; a point that contradicts the shard's
 * results, or lies outside the bounds of a pixel, is refused. (That it is in the ball and fools the model only model and data
 * can tell: `replay`.)
 * How much they unpack to, whoever calls has to bound.
 *
 * @throws UsageError that names the archive that is no such thing.
 */
export function joinWitnesses(archives: readonly NamedArchive[], threat: string): Uint8Array {
  const parts = archives.map((archive) => ({ ...archive, ...readArchive(archive, threat) }))
  const [{ shape, name: first }] = parts
  const odd = parts.find((part) => part.shape.join() !== shape.join())
  if (odd !== undefined)
    throw new UsageError(`${odd.name}: holds images of another shape than ${first}; run all shards again`)
  return witnessArchive(
    parts.flatMap(({ witnesses }) => witnesses),
    threat,
    { shape },
  )
}

interface Part {
  /** Of one image. */
  readonly shape: readonly number[]
  readonly witnesses: readonly Witness[]
}

function readArchive({ name, bytes, results }: NamedArchive, threat: string): Part {
  const wrong = (problem: string) =>
    new UsageError(`${name}: is not what a shard writes (${oneLine(problem, 200)}); run that shard again`)
  const { x, index, label, predicted } = readNpz(bytes, name, ['x', 'index', 'label', 'predicted'])
  const [rows, ...shape] = x.shape
  const size = shape.reduce((product, length) => product * length, 1)
  if (!(x.data instanceof Float32Array) || shape.length === 0 || size === 0) throw wrong('x is not float32 [M, …]')
  const broken = new Map(
    results.samples.filter(({ threats }) => threats[threat]?.robust === false).map((sample) => [sample.index, sample]),
  )
  // Before anything is made of every row: rows may cost next to nothing in the archive.
  if (rows > broken.size) throw wrong(`${rows} images, of which its results call ${broken.size} broken`)
  const integers = [index, label, predicted].map(({ type, shape: [length, ...more], data }) => {
    if (type !== 'i8' || length !== rows || more.length > 0) throw wrong('not one integer for each row of x')
    return Array.from(data, Number)
  })
  const bounds = results.threats.find(({ id }) => id === threat)?.bounds
  if (bounds === undefined) throw wrong(`its results have no threat ${threat}`)
  const [low, high] = bounds
  // The negation catches NaN.
  if (!x.data.every((pixel) => pixel >= low && pixel <= high)) throw wrong(`a pixel outside ${low} … ${high}`)
  const { classes } = results.model
  const [indices, labels, predictions] = integers
  const pixels = x.data
  const witnesses = indices.map((image, row): Witness => {
    const outcome = broken.get(image)
    if (outcome === undefined || outcome.label !== labels[row])
      throw wrong(`row ${row} is of image ${image}, which its results do not call broken, or label otherwise`)
    const seen = predictions[row]
    if (seen < 0 || seen >= classes || seen === outcome.label)
      throw wrong(`row ${row} is predicted as ${seen}, which is no other class`)
    // Each image once.
    broken.delete(image)
    return {
      ...{ threat, index: image, label: outcome.label, predicted: seen },
      pixels: pixels.subarray(row * size, (row + 1) * size),
    }
  })
  return { shape, witnesses }
}

import { flagMessage } from '../engine/flagTable.js'
import { UsageError } from '../errors.js'
import type { Results } from '../evaluation/results.js'
import { threatTitle } from './text.js'
import type { Comparison, ModelRole, Transfer } from './types.js'

/**
 * When the images that transfer breaks mean that robust accuracy is an upper bound only: the same share as for gradients
 * that tell nothing, and three at least. One or two may lie so near the border that any attack misses them now and
 * then: of a model with twenty robust images two would be one in ten.
 */
const SHARE = 0.05
const FEW = 3

/**
 * Of a model that changes its mind one more question breaks an image now and then: that proves nothing. That it draws numbers
 * alone is no such sign; where they move an answer the flag names the images.
 */
function changesItsMind({ flags }: Results): boolean {
  return flags.some(
    ({ code, samples }) => code === 'unstable-logits' || (code === 'randomness' && samples !== undefined),
  )
}

/** A broken image proves that the suite missed one; more than a few, that gradients do not lead it. */
export function transferFlags(
  transfers: readonly Transfer[],
  models: Readonly<Record<ModelRole, Results>>,
): Comparison['flags'] {
  return transfers.flatMap(({ from, to, threat, fooled }): Comparison['flags'] => {
    const title = models[to].threats.filter(({ id }) => id === threat).map(threatTitle)
    const robust = models[to].samples.filter(({ threats }) => threats[threat].robust).length
    if (fooled.length === 0 || changesItsMind(models[to])) return []
    const images = `${fooled.length} of ${robust} images that count as robust under ${title}`
    const missed = `Adversarial examples of the ${from} break ${images}, which the suite missed`
    const masked = `The gradients are masked: adversarial examples of the ${from} break ${images}`
    const about = { model: to, samples: [...fooled] }
    return [
      { ...about, code: 'transfer', message: flagMessage('transfer', missed) },
      ...(fooled.length >= FEW && fooled.length >= SHARE * robust
        ? [{ ...about, code: 'masked-gradients', message: flagMessage('masked-gradients', masked) }]
        : []),
    ]
  })
}

/**
 * Refuses what cannot have become of these models' adversarial examples, in a file that a stranger may have written.
 *
 * @throws UsageError
 */
export function assertTransfer(transfers: readonly Transfer[], models: Readonly<Record<ModelRole, Results>>): void {
  const told = new Set<string>()
  for (const { from, to, threat, tried, fooled } of transfers) {
    const robust = new Set(
      models[to].samples.flatMap(({ index, threats }) => (threats[threat]?.robust === true ? [index] : [])),
    )
    const isKnown = models[to].threats.some(({ id }) => id === threat) && from !== to && !told.has(`${to} ${threat}`)
    const areImages = fooled.every((index, place) => robust.has(index) && (place === 0 || index > fooled[place - 1]))
    if (!isKnown || !areImages || tried > robust.size || fooled.length > tried)
      throw new UsageError(
        'what comparison.json says of adversarial examples on the other model contradicts the results; evaluate again',
      )
    told.add(`${to} ${threat}`)
  }
}

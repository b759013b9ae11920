import { fileURLToPath } from 'node:url'
import { transpile } from '../scripts/transpile.mjs'

/**
 * The ways a rule could have been written, each against the others on the shapes where it matters: why the rules in
 * src/autodiff/rules are what they are.
 *
 *     node bench/alternatives.mjs                      all of them
 *     node bench/alternatives.mjs pools attention      of some families
 *     npm run bench -- --only alternatives             all of them, too
 *
 * One thread; what is compared runs in turn. The first way of each kind is the rule's: the rule itself writes it, as it does
 * for a model.
 */
await transpile()
const { activationWays } = await import('./alternatives/activations.mjs')
const { convolutionWays } = await import('./alternatives/convolutions.mjs')
const { featureMapWays } = await import('./alternatives/featureMaps.mjs')
const { poolWays } = await import('./alternatives/pools.mjs')
const { attentionWays } = await import('./alternatives/attention.mjs')
const { scanWays } = await import('./alternatives/scans.mjs')

const families = {
  activations: activationWays,
  convolutions: convolutionWays,
  featureMaps: featureMapWays,
  pools: poolWays,
  attention: attentionWays,
  scans: scanWays,
}

/** Prints a table for each family; of all when none is wanted. */
export async function printAlternatives(wanted = []) {
  for (const [family, ways] of Object.entries(families))
    if (wanted.length === 0 || wanted.includes(family)) console.table(await ways())
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await printAlternatives(process.argv.slice(2))

import { expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import { fixture } from '../engine/support/fixtures.js'
import { attackScene, type Scene } from './support/leastDistance.js'
import { linearClasses } from './support/linearClasses.js'

/** What foolbox finds on linear classifiers of 4 and 10 classes, of least distances that are known (scripts/reference/linearClasses.py). */
interface Case {
  readonly weights: readonly (readonly number[])[]
  /** By which class 0 leads the others on the grey image. */
  readonly margins: readonly number[]
  readonly least: number
  readonly ddn: number
  readonly cw: number
}

const { cases } = JSON.parse(fixture('attacks/linear-classes.json').toString()) as { readonly cases: readonly Case[] }

const sceneOf = ({ weights, margins }: Case): Scene => {
  const biases = weights.map((row, k) => (k === 0 ? 0 : -margins[k - 1]) - row.reduce((sum, w) => sum + w / 2, 0))
  return {
    model: linearClasses(weights, biases),
    image: new Float32Array(weights[0].length).fill(0.5),
    label: 0,
    classes: weights.length,
  }
}

// Both follow one gradient, which on its way to one class may pass by a nearer one: so by nature, and as far with foolbox. DDN's
// iterates are foolbox's, and here it goes back towards the image; 0.1 % is for their float32.
test.each([
  ['ddn', published('ddn'), 1.001],
  ['cw', published('cw', { steps: 200, binarySearchSteps: 5, stepSize: 0.05, initialConstant: 1 }), 1.05],
] as const)('%s: with several linear classes it goes no farther than foolbox, image by image', (name, spec, slack) => {
  for (const one of cases) {
    const { nearest } = attackScene(spec, sceneOf(one), { norm: 'l2', epsilon: 0.99 * one.least }).result
    expect(nearest?.distance).toBeLessThanOrEqual(slack * one[name])
    // Margins of 12 at most in float32 and slopes of 30 or more: a boundary is where it is to 10⁻⁷.
    expect(nearest?.distance).toBeGreaterThanOrEqual(one.least - 1e-6)
  }
})

import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { imageDigest, randomSource } from '../../src/attacks/random.js'
import { attackFor } from '../../src/attacks/registry.js'
import { threatModel } from '../../src/attacks/threat.js'
import { lossesOf } from '../../src/engine/losses.js'
import { converse } from '../attacks/support/linear.js'
import { attacks, isDefined, norms, situation } from '../attacks/support/situations.js'

/** The gradient model is built with these alone: for another one it would answer with a gradient of nothing. */
test.each(Object.values(attacks).map((spec) => [spec.name, spec] as const))(
  '%s asks for no loss but those it is listed with',
  (_, spec) => {
    const listed = lossesOf([spec])
    for (const norm of norms.filter((one) => isDefined(spec, one)))
      fc.assert(
        fc.property(situation, ({ model, image, label, epsilon, bounds, shape, layout }) => {
          const threat = threatModel(image, { norm, epsilon }, bounds)
          const target = { threat, label, classes: model.predict(image).length, shape, layout }
          const { asked } = converse(attackFor(spec, target, randomSource(1, imageDigest(image), spec.id)), model)
          for (const question of asked) if (question.kind === 'gradient') expect(listed).toContain(question.loss.name)
        }),
        { numRuns: 10 },
      )
  },
)

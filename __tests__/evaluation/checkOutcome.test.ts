import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { AttackOutcome, SampleOutcome } from '../../src/engine/messages.js'
import { contradiction } from '../../src/evaluation/checkOutcome.js'
import { attacks, threats } from './support.js'

const expected = { classes: 10, threats, attacks }
const label = fc.integer({ min: 0, max: 9 })
const anotherThan = (one: number) => label.filter((other) => other !== one)

/** An attack's outcome as an honest engine gives it for an image that is right. */
const honestAttack = (truth: number, epsilon: number): fc.Arbitrary<AttackOutcome> =>
  fc.boolean().chain((success) =>
    fc.record({
      success: fc.constant(success),
      predicted: success ? anotherThan(truth) : fc.constant(truth),
      distance: fc.double({ min: 0, max: epsilon, noNaN: true }),
    }),
  )

const honestThreat = (truth: number, epsilon: number) =>
  fc.tuple(...attacks.map(() => honestAttack(truth, epsilon))).map((outcomes) => {
    const ran: Record<string, AttackOutcome> = {}
    let broken = false
    for (const [place, { id, survivorsOnly }] of attacks.entries()) {
      if (survivorsOnly && broken) continue
      ran[id] = outcomes[place]
      broken ||= outcomes[place].success
    }
    return { robust: !broken, attacks: ran }
  })

/** Of an image that is right. */
const honest: fc.Arbitrary<SampleOutcome> = label.chain((truth) =>
  fc.tuple(...threats.map(({ epsilon }) => honestThreat(truth, epsilon))).map((outcomes) => ({
    index: 3,
    label: truth,
    predicted: truth,
    threats: Object.fromEntries(threats.map(({ id }, place) => [id, outcomes[place]])),
  })),
)

const misclassified: SampleOutcome = {
  index: 3,
  label: 1,
  predicted: 2,
  threats: Object.fromEntries(threats.map(({ id }) => [id, { robust: false, attacks: {} }])),
}

test('an honest worker is believed', () => {
  fc.assert(fc.property(honest, (outcome) => contradiction(outcome, outcome.label, expected) === undefined))
  expect(contradiction(misclassified, 1, expected)).toBeUndefined()
})

/** Each turns an honest outcome of an image that is right into one that cannot be. */
const lies: Readonly<Record<string, (outcome: SampleOutcome, threat: string, attack: string) => void>> = {
  'another label': (outcome) => {
    outcome.label = (outcome.label + 1) % 10
  },
  'a class that does not exist': (outcome) => {
    outcome.predicted = 10
  },
  'an attacked class that does not exist': (outcome, threat, attack) => {
    outcome.threats[threat].attacks[attack].predicted = 10
  },
  'a wrong clean prediction with robustness under some threat': (outcome, threat) => {
    outcome.predicted = (outcome.label + 1) % 10
    outcome.threats[threat].robust = true
  },
  'a threat left out': (outcome, threat) => {
    delete outcome.threats[threat]
  },
  'a threat nobody asked for': (outcome, threat) => {
    outcome.threats['linf-9'] = outcome.threats[threat]
  },
  'a threat that every object inherits': (outcome, threat) => {
    outcome.threats['constructor'] = outcome.threats[threat]
  },
  'an attack left out': (outcome, threat) => {
    delete outcome.threats[threat].attacks['fgsm']
  },
  'an attack nobody asked for': (outcome, threat, attack) => {
    outcome.threats[threat].attacks['toString'] = outcome.threats[threat].attacks[attack]
  },
  'a point outside the ball, by the last bit': (outcome, threat, attack) => {
    const epsilon = threats.find(({ id }) => id === threat)?.epsilon ?? 0
    outcome.threats[threat].attacks[attack].distance = epsilon * (1 + Number.EPSILON)
  },
  'a distance that is no number': (outcome, threat, attack) => {
    outcome.threats[threat].attacks[attack].distance = Number.NaN
  },
  'a success turned round': (outcome, threat, attack) => {
    const it = outcome.threats[threat].attacks[attack]
    it.success = !it.success
  },
  'robustness turned round': (outcome, threat) => {
    outcome.threats[threat].robust = !outcome.threats[threat].robust
  },
  'a fooled model that counts as not fooled': (outcome, threat, attack) => {
    const it = outcome.threats[threat].attacks[attack]
    it.predicted = it.success ? outcome.label : (outcome.label + 1) % 10
  },
}

describe('a worker that lies is found out by', () => {
  test.each(Object.entries(lies))('%s', (_, lie) => {
    fc.assert(
      fc.property(honest, fc.constantFrom(...threats), fc.nat(), (outcome, threat, pick) => {
        const ran = Object.keys(outcome.threats[threat.id].attacks)
        const truth = outcome.label
        lie(outcome, threat.id, ran[pick % ran.length])
        expect(contradiction(outcome, truth, expected)).toBeDefined()
      }),
    )
  })

  test('a survivors’ attack on an image that was broken before', () => {
    const broken = { success: true, predicted: 2, distance: 0.1 }
    const held = { success: false, predicted: 1, distance: 0.1 }
    const threat = (ran: Record<string, AttackOutcome>) => ({ robust: false, attacks: ran })
    const outcome = (ran: Record<string, AttackOutcome>): SampleOutcome => ({
      index: 0,
      label: 1,
      predicted: 1,
      threats: Object.fromEntries(threats.map(({ id }) => [id, threat(ran)])),
    })
    expect(contradiction(outcome({ fgsm: broken, pgd: held }), 1, expected)).toBeUndefined()
    expect(contradiction(outcome({ fgsm: broken, pgd: held, 'pgd-margin': held }), 1, expected)).toMatch(/survivors/)
    expect(contradiction(outcome({ fgsm: held, pgd: held }), 1, expected)).toMatch(/pgd-margin is missing/)
  })

  describe('what a smaller ε has answered', () => {
    const lost = { success: true, predicted: 2, distance: 0.1 }
    const held = { success: false, predicted: 1, distance: 0.1 }
    const asked = {
      ...expected,
      threats: [
        { id: 'large', norm: 'linf', epsilon: 0.2 },
        { id: 'small', norm: 'linf', epsilon: 0.1 },
        { id: 'other norm', norm: 'l2', epsilon: 0.1 },
      ],
    }
    const all = { fgsm: held, pgd: held, 'pgd-margin': held }
    const told = (large: Record<string, AttackOutcome>, small: Record<string, AttackOutcome>, robust = false) => {
      const threats = {
        large: { robust, attacks: large },
        small: { robust: Object.values(small).every(({ success }) => !success), attacks: small },
        'other norm': { robust: true, attacks: all },
      }
      return contradiction({ index: 0, label: 1, predicted: 1, threats }, 1, asked)
    }
    const breaking = { ...all, 'pgd-margin': lost }

    test('a survivors’ attack need not be run again, but what it found is not lost', () => {
      const [first, second, third] = attacks
      const suite = [first, { ...second, survivorsOnly: true }, third]
      const outcome = {
        index: 0,
        label: 1,
        predicted: 1,
        threats: {
          large: { robust: false, attacks: { fgsm: held, 'pgd-margin': lost } },
          small: { robust: false, attacks: breaking },
          'other norm': { robust: true, attacks: all },
        },
      }
      expect(contradiction(outcome, 1, { ...asked, attacks: suite })).toBeUndefined()
      expect(told(all, breaking, true)).toMatch(/under large, robust: true is not what a smaller ε/)
    })

    test('a nearest point counts where its distance lies in the larger ball', () => {
      const near = (nearest: number) => ({ ...all, fgsm: { ...held, nearest } })
      expect(told(all, near(0.2), true)).toMatch(/smaller ε/)
      expect(told(all, near(0.21), true)).toBeUndefined()
    })

    test('who survives is whom the engine calls so: another’s witness ends an attack’s turns, its own does not', () => {
      const near = (nearest: number) => ({ ...all, fgsm: { ...held, nearest } })
      const found = { ...held, success: true, predicted: 2, distance: 0.2 }
      expect(told({ fgsm: found, pgd: held }, near(0.2))).toBeUndefined()
      expect(told({ fgsm: held, pgd: held, 'pgd-margin': lost }, near(0.2))).toMatch(
        /under large, attack pgd-margin is for survivors, and the image was broken by a smaller ε/,
      )
      expect(told({ fgsm: held, pgd: held }, breaking, true)).toMatch(/under large, attack pgd-margin is missing/)
      expect(told({ fgsm: held, pgd: held, 'pgd-margin': lost }, breaking)).toBeUndefined()
    })

    test('of two balls of one size the second knows what the first has answered, not the first what the second has', () => {
      const threats = ['first', 'second'].map((id) => ({ id, norm: 'linf', epsilon: 0.1 }))
      const outcome = (first: Record<string, AttackOutcome>, second: Record<string, AttackOutcome>) => ({
        ...{ index: 0, label: 1, predicted: 1 },
        threats: { first: { robust: false, attacks: first }, second: { robust: false, attacks: second } },
      })
      const [fgsm, pgd, last] = attacks
      const suite = [{ ...fgsm, survivorsOnly: true }, pgd, last]
      const broken = { fgsm: held, pgd: lost }
      expect(contradiction(outcome(broken, { pgd: lost }), 1, { ...asked, threats, attacks: suite })).toBeUndefined()
      expect(contradiction(outcome({ pgd: lost }, { pgd: lost }), 1, { ...asked, threats, attacks: suite })).toMatch(
        /under first, attack fgsm is missing/,
      )
    })

    test('an attack is missing where the smaller ε left the image robust', () => {
      expect(told({ fgsm: held, pgd: held }, all, true)).toMatch(/under large, attack pgd-margin is missing/)
    })
  })
})

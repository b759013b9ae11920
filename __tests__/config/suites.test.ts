import { describe, expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'

function suite(written: string) {
  return parseConfig({ file: { name: 'robustness.yml', text: `suite: ${written}` } }).suite
}

describe('a named suite is the same for ever', () => {
  const fgsm = { id: 'fgsm', name: 'fgsm', loss: 'cross-entropy', survivorsOnly: false }
  const pgd = { name: 'pgd', relativeStepSize: 0.25, randomStart: true, restarts: 1 }

  test('standard@1: FGSM, PGD-20 on cross-entropy, then on the margin of what is left', () => {
    const expected = {
      name: 'standard',
      version: 1,
      attacks: [
        fgsm,
        { ...pgd, id: 'pgd', steps: 20, loss: 'cross-entropy', survivorsOnly: false },
        { ...pgd, id: 'pgd-margin', steps: 20, loss: 'margin', survivorsOnly: true },
      ],
    }
    expect(suite('standard@1')).toEqual(expected)
    expect(suite('standard')).toEqual(expected)
    expect(parseConfig({}).suite).toEqual(expected)
  })

  test('quick@1: FGSM and PGD-10', () => {
    expect(suite('quick')).toEqual({
      name: 'quick',
      version: 1,
      attacks: [fgsm, { ...pgd, id: 'pgd', steps: 10, loss: 'cross-entropy', survivorsOnly: false }],
    })
  })

  const everywhere = (value: number) => ({ linf: value, l2: value, l1: value })
  const ascent = { steps: 100, rho: 0.75, eot: 1, largerBalls: false, survivorsOnly: true, restarts: everywhere(1) }
  const fab = { steps: 100, restarts: 1, alphaMax: 0.1, eta: 1.05, beta: 0.9, survivorsOnly: true }
  const square = { id: 'square', name: 'square', queries: 5000, restarts: 1, p: 0.8, survivorsOnly: true }
  const apgdT = { ...ascent, id: 'apgd-t', name: 'apgd-t', targets: { linf: 9, l2: 9, l1: 5 } }
  const fabT = { ...fab, id: 'fab-t', name: 'fab-t', targets: 9 }
  /** Ours, after all that is published: docs/attacks.md, "One attack more has the last word". */
  const ours = {
    ...ascent,
    id: 'apgd-margin',
    name: 'apgd',
    loss: 'margin',
    restarts: { linf: 1, l2: 1, l1: 5 },
    largerBalls: true,
  }

  /**
   * The published parameters: 100 iterations, ρ 0.75, 9 targets, 5000 queries, p 0.8; under L1 5 restarts and 5 targets (Croce and
   * Hein 2020 and 2021; `set_version` in the authors' autoattack.py).
   */
  test('autoattack@1: AutoAttack as published, and for what it leaves APGD on the margin from larger balls', () => {
    const crossEntropy = { ...ascent, id: 'apgd-ce', name: 'apgd', loss: 'cross-entropy', survivorsOnly: false }
    expect(suite('autoattack@1')).toEqual({
      name: 'autoattack',
      version: 1,
      attacks: [{ ...crossEntropy, restarts: { linf: 1, l2: 1, l1: 5 } }, apgdT, fabT, square, ours],
    })
  })

  /**
   * `set_version('plus')`: 5 restarts of both APGD and of FAB, one of APGD-T; 9 targets, the norm whatever it is. FAB's 5 are those of
   * `fab` alone: for 'fab-t', `run_standard_evaluation` sets `self.fab.n_restarts = 1` (both in the authors' autoattack.py).
   */
  test('autoattack-plus@1: untargeted attacks with 5 restarts, then Square and the targeted ones, then ours', () => {
    const five = { ...ascent, name: 'apgd', restarts: everywhere(5) }
    expect(suite('autoattack-plus@1')).toEqual({
      name: 'autoattack-plus',
      version: 1,
      attacks: [
        { ...five, id: 'apgd-ce', loss: 'cross-entropy', survivorsOnly: false },
        { ...five, id: 'apgd-dlr', loss: 'dlr' },
        { ...fab, id: 'fab', name: 'fab', restarts: 5 },
        square,
        { ...apgdT, targets: everywhere(9) },
        fabT,
        ours,
      ],
    })
  })

  /** `set_version('rand')`: APGD on both losses, one start, every gradient the mean of 20. */
  test('autoattack-rand@1: APGD on cross-entropy and on DLR, each gradient the mean of 20, and nothing of ours', () => {
    const averaged = { ...ascent, name: 'apgd', eot: 20 }
    expect(suite('autoattack-rand@1')).toEqual({
      name: 'autoattack-rand',
      version: 1,
      attacks: [
        { ...averaged, id: 'apgd-ce', loss: 'cross-entropy', survivorsOnly: false },
        { ...averaged, id: 'apgd-dlr', loss: 'dlr' },
      ],
    })
  })

  test('an unknown one is answered with those there are', () => {
    expect(() => parseConfig({ flags: { suite: 'standart' } })).toThrow(
      '--suite: unknown suite "standart"; the suites are quick, quick@1, standard, standard@1, autoattack, autoattack@1, autoattack-plus, autoattack-plus@1, autoattack-rand, autoattack-rand@1; did you mean "standard"?',
    )
    expect(() => parseConfig({ flags: { suite: 'standard@9' } })).toThrow('--suite: unknown suite "standard@9"; ')
  })
})

describe('a suite written out', () => {
  test('as in the issue', () => {
    expect(
      suite(
        '{ attacks: [{name: fgsm}, {name: pgd, steps: 40, stepSize: 0.01, randomStart: false, restarts: 1, loss: cross-entropy}] }',
      ),
    ).toEqual({
      name: 'custom',
      version: 1,
      attacks: [
        { id: 'fgsm', name: 'fgsm', loss: 'cross-entropy', survivorsOnly: false },
        {
          id: 'pgd',
          name: 'pgd',
          steps: 40,
          stepSize: 0.01,
          randomStart: false,
          restarts: 1,
          loss: 'cross-entropy',
          survivorsOnly: false,
        },
      ],
    })
  })

  test('takes a step as a quotient, as ε is written', () => {
    expect(suite('{attacks: [{name: pgd, step-size: 2/255}]}').attacks[0]).toMatchObject({ stepSize: 2 / 255 })
  })

  test('gives every attack an id of its own', () => {
    expect(
      suite('{attacks: [{name: pgd}, {name: fgsm}, {name: pgd, loss: dlr}, {name: pgd, id: last}]}').attacks.map(
        ({ id }) => id,
      ),
    ).toEqual(['pgd', 'fgsm', 'pgd-2', 'last'])
  })

  test.each([
    ['{attacks: [{name: pgd, id: a}, {name: fgsm, id: a}]}', 'suite.attacks: two attacks have the id "a"'],
    ['{attacks: [{name: pgd, id: pgd-2}, {name: pgd}]}', 'suite.attacks: two attacks have the id "pgd-2"'],
    ['{attacks: [{name: pgd, id: __proto__}]}', 'suite.attacks[0].id: "__proto__" is not an id'],
    ['{attacks: []}', 'suite.attacks: must not be empty'],
    ['{attacks: fgsm}', 'suite.attacks: must be a list of attacks, like [{name: fgsm}]'],
    [
      '{attacks: [{steps: 3}]}',
      'suite.attacks[0]: an attack needs a name, one of fgsm, pgd, bim, mi-fgsm, apgd, apgd-t, fab, fab-t, square, deepfool, cw, ddn, noise; this one has none',
    ],
    [
      '{attacks: [{name: pgdd}]}',
      'suite.attacks[0]: an attack needs a name, one of fgsm, pgd, bim, mi-fgsm, apgd, apgd-t, fab, fab-t, square, deepfool, cw, ddn, noise; this one has "pgdd"',
    ],
    ['{attacks: [{name: fgsm, steps: 3}]}', 'suite.attacks[0]: unknown key "steps"'],
    ['{attacks: [{name: pgd, restarts: 0}]}', 'suite.attacks[0].restarts: 0 is out of bounds'],
    ['{attacks: [{name: pgd, steps: 1.5}]}', 'suite.attacks[0].steps: 1.5 is not a whole number'],
    ['{attacks: [{name: pgd, stepSize: 0.1, relativeStepSize: 0.1}]}', 'suite.attacks[0]: stepSize (absolute) and'],
    ['{attacks: [{name: pgd, randomStart: false, restarts: 2}]}', 'suite.attacks[0]: restarts without a random start'],
    ['{name: standard, attacks: [{name: fgsm}]}', 'suite.name: "standard" is a built-in suite'],
  ])('%s is refused', (written, message) => {
    expect(() => suite(written)).toThrow(`config robustness.yml: ${message}`)
  })
})

import { describe, expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'
import { UsageError } from '../../src/errors.js'

function fromFile(text: string) {
  return parseConfig({ file: { name: 'robustness.yml', text } })
}

function complaint(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('nothing was complained about')
}

describe('defaults are those the README promises', () => {
  test('of a run nobody configured', () => {
    expect(parseConfig({})).toEqual({
      model: undefined,
      baseline: undefined,
      data: undefined,
      dataOptions: {
        range: [0, 1],
        layout: 'nchw',
        shape: undefined,
        resize: undefined,
        crop: undefined,
        channels: 'auto',
        classNames: undefined,
        labels: undefined,
      },
      samples: undefined,
      quantised: false,
      seed: 0,
      preprocessing: { mean: [0], std: [1], layout: undefined, channelOrder: 'rgb' },
      baselinePreprocessing: { mean: [0], std: [1], layout: undefined, channelOrder: 'rgb' },
      threats: [{ id: 'linf-8_255', norm: 'linf', epsilon: 8 / 255 }],
      suite: expect.objectContaining({ name: 'standard', version: 1 }),
      policy: {
        maxRobustDrop: 1,
        maxCleanDrop: 1,
        cleanBudget: 3,
        minRobustAccuracy: undefined,
        minCleanAccuracy: undefined,
        decision: 'significant',
        significance: 0.05,
        failOn: 'regression',
      },
      limits: { seconds: 3600, workers: undefined, batch: 64 },
      executionProvider: 'cpu',
      publish: {
        comment: 'always',
        checkName: 'Robustness gate',
        acceptLabel: 'robustness-regression-accepted',
      },
    })
  })
})

describe('precedence: a flag beats the file, the file beats the defaults', () => {
  const file = { name: 'robustness.yml', text: 'epsilon: 2/255\nmaxRobustDrop: 5\nsamples: 10\n' }

  test('each key is decided alone', () => {
    const config = parseConfig({ file, flags: { epsilon: '4/255', seed: '7' } })
    expect(config.threats).toEqual([{ id: 'linf-4_255', norm: 'linf', epsilon: 4 / 255 }])
    expect(config.policy.maxRobustDrop).toBe(5)
    expect(config.samples).toBe(10)
    expect(config.seed).toBe(7)
  })

  test("an action's unset inputs, which are empty text, do not undo the file", () => {
    expect(parseConfig({ file, flags: { epsilon: '', samples: ' ', seed: undefined } }).samples).toBe(10)
  })

  test('epsilon by flag replaces the whole list of threats', () => {
    const threats = { name: 'r.yml', text: 'threats: [{norm: linf, epsilon: 0.1}, {norm: l2, epsilon: 1.5}]' }
    expect(parseConfig({ file: threats }).threats.map(({ id }) => id)).toEqual(['linf-0.1', 'l2-1.5'])
    expect(parseConfig({ file: threats, flags: { epsilon: '0.2' } }).threats.map(({ id }) => id)).toEqual(['linf-0.2'])
  })
})

describe('both spellings of a key mean the same', () => {
  test('in a file and as flags', () => {
    expect(fromFile('max-robust-drop: 2').policy.maxRobustDrop).toBe(2)
    expect(fromFile('maxRobustDrop: 2').policy.maxRobustDrop).toBe(2)
    expect(parseConfig({ flags: { 'max-robust-drop': '2' } }).policy.maxRobustDrop).toBe(2)
    expect(parseConfig({ flags: { maxRobustDrop: '2' } }).policy.maxRobustDrop).toBe(2)
  })

  test('and both at once are refused, since one of them would be ignored', () => {
    expect(complaint(() => fromFile('max-robust-drop: 2\nmaxRobustDrop: 3'))).toBe(
      'config robustness.yml: "maxRobustDrop" is given twice, as "maxRobustDrop" and "max-robust-drop"; keep one',
    )
  })

  test('JSON is read like YAML', () => {
    expect(fromFile('{"suite": {"attacks": [{"name": "fgsm"}]}, "seed": 3}').seed).toBe(3)
  })
})

describe('a mistake is told in one line: which file, which key, what to write', () => {
  test.each([
    ['epsilom: 0.1', 'config robustness.yml: unknown key "epsilom"; did you mean "epsilon"?'],
    ['max-robustdrop: 1', 'config robustness.yml: unknown key "max-robustdrop"; did you mean "maxRobustDrop"?'],
    [
      'suite: {attacks: [{name: fgsm}, {name: pgd, step: 3}]}',
      'config robustness.yml: suite.attacks[1]: unknown key "step"; did you mean "steps"?',
    ],
    ['suite: {attack: []}', 'config robustness.yml: suite: unknown key "attack"; did you mean "attacks"?'],
    [
      'suite: {attacks: [{name: pgd, steps: many}]}',
      'config robustness.yml: suite.attacks[0].steps: "many" is not a number; write one like 0.1 or 8/255',
    ],
    [
      'threats: [{norm: linf, epsilon: 0.1}, {norm: l2, epsilon: 0}]',
      'config robustness.yml: threats[1].epsilon: 0 is not above 0; write the radius of the attack, like 8/255',
    ],
    [
      'decision: observe',
      'config robustness.yml: decision: "observe" is none of significant, observed; did you mean "observed"?',
    ],
    ['- epsilon', 'config robustness.yml: must hold keys and values, like "epsilon: 8/255"'],
    ['std: [1, 0, 1]', 'config robustness.yml: std: 0 is out of bounds; it must be greater than 0'],
    ['mean: [0, 0]\nstd: [1, 1, 1]', 'mean and std have 2 and 3 values; write one for each channel, or one for all'],
  ])('%s', (text, message) => {
    expect(complaint(() => fromFile(text))).toBe(message)
  })

  test('a flag is called by its name, an input of a workflow by its own', () => {
    const flags = { 'min-robust-accuracy': 'half' }
    const rest = '"half" is not a number; write one like 0.1 or 8/255'
    expect(complaint(() => parseConfig({ flags }))).toBe(`--min-robust-accuracy: ${rest}`)
    expect(complaint(() => parseConfig({ flags, flagsAre: 'inputs' }))).toBe(`input min-robust-accuracy: ${rest}`)
  })

  test('YAML that cannot be read names the line', () => {
    const message = complaint(() => fromFile('seed: 1\nsuite: [unclosed\n'))
    expect(message).toMatch(/^config robustness\.yml: line \d+ is not valid YAML: /)
    expect(message).not.toContain('\n')
  })

  test('aliases that multiply into gigabytes are refused, not expanded', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 12; level++)
      lines.push(
        `a${level}: &a${level} [${Array(9)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      )
    expect(complaint(() => fromFile(lines.join('\n')))).toMatch(/^config robustness\.yml: .*alias/)
  })

  test('a key named like a part of every object is unknown as any other', () => {
    expect(complaint(() => fromFile('__proto__: {epsilon: 1}'))).toContain('unknown key "__proto__"')
    expect(complaint(() => fromFile('constructor: 1'))).toContain('unknown key "constructor"')
  })
})

describe('what belongs to the model can differ for the baseline', () => {
  test('and is the candidate’s where nothing is said', () => {
    const { preprocessing, baselinePreprocessing } = fromFile(
      'mean: [0.485, 0.456, 0.406]\nstd: 0.225\ninputLayout: nhwc\nbaseline-mean: 0\nbaseline-channel-order: bgr\n',
    )
    expect(preprocessing).toEqual({ mean: [0.485, 0.456, 0.406], std: [0.225], layout: 'nhwc', channelOrder: 'rgb' })
    expect(baselinePreprocessing).toEqual({ mean: [0], std: [0.225], layout: 'nhwc', channelOrder: 'bgr' })
  })
})

describe('data options', () => {
  test('arrive as written, in text and typed', () => {
    const expected = { range: [0, 255], shape: [1, 28, 28], crop: [224, 192], resize: 256, layout: 'nhwc' }
    const text = { range: '0,255', shape: '1,28,28', crop: '224x192', resize: '256', layout: 'nhwc', epsilon: '8' }
    expect(parseConfig({ flags: text }).dataOptions).toMatchObject(expected)
    expect(
      fromFile('{range: [0, 255], shape: [1, 28, 28], crop: [224, 192], resize: 256, layout: nhwc}').dataOptions,
    ).toMatchObject(expected)
  })

  test('a range without a width has no images in it', () => {
    expect(complaint(() => parseConfig({ flags: { range: '1,0' } }))).toBe(
      '--range: "1,0" is not a range; write the lowest and the highest pixel value, like 0,255',
    )
  })

  test('a batch that some kernels compute differently is refused', () => {
    expect(complaint(() => parseConfig({ flags: { batch: '50' } }))).toBe(
      '--batch: "50" is neither 1 nor a multiple of 16; take 64 or 128',
    )
    expect(parseConfig({ flags: { batch: '1' } }).limits.batch).toBe(1)
  })
})

test('percentages mean what they say: points for drops, fractions for floors', () => {
  const { policy } = fromFile('max-clean-drop: 1.5%\nmin-robust-accuracy: 40%\nmin-clean-accuracy: 0.8')
  expect(policy).toMatchObject({ maxCleanDrop: 1.5, minRobustAccuracy: 0.4, minCleanAccuracy: 0.8 })
  expect(complaint(() => fromFile('minRobustAccuracy: 40'))).toBe(
    'config robustness.yml: minRobustAccuracy: 40 is more than 1; write a fraction like 0.5, or 50%',
  )
})

test('the label that accepts a regression has another name where one is given, and none switches it off', () => {
  const labelOf = (text: string) => fromFile(text).publish.acceptLabel
  expect([labelOf('accept-label: ok to weaken'), labelOf('acceptLabel: none')]).toEqual(['ok to weaken', undefined])
  expect(complaint(() => fromFile(`acceptLabel: ${'x'.repeat(51)}`))).toContain('is longer than 50 characters')
})

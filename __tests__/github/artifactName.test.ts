import { expect, test } from '@jest/globals'
import { artifactName } from '../../src/github/artifactName.js'
import { artifactPrefix } from '../../src/github/uploads.js'

/** Two gates that share a name would take each other's results for a baseline. */

test.each([
  ['Robustness gate', 'robustness-gate'],
  ['Robustness gate: digits', 'robustness-gate-digits'],
  ['Robustness gate: resnet-18_v1.5', 'robustness-gate-resnet-18_v1.5'],
])('%s is called %s, which people can write down', (checkName, name) => {
  expect(artifactName(checkName)).toBe(name)
})

const similar = [
  ...[
    'Robustness gate',
    'robustness gate',
    'robustness-gate',
    'Robustness  gate',
    'Robustness gate: ',
    'Robustness gate:',
  ],
  ...[
    'Проверка',
    '鲁棒',
    '',
    '-',
    'Robustness gate: a',
    'Robustness gate: A',
    'Robustness gate: a b',
    'Robustness gate: a-b',
  ],
  ...['a', 'A', 'a b', 'a-b', 'robustness-gate-a', 'Robustness gate a', `Robustness gate: ${'a'.repeat(100)}`],
  ...[`Robustness gate: ${'a'.repeat(101)}`, `Robustness gate: ${'a'.repeat(200)}`, 'Robustness gate: a\n'],
]

test('names that differ in anything are artifacts of their own, on systems that know no capitals, too', () => {
  expect(new Set(similar.map((name) => artifactName(name).toLowerCase())).size).toBe(similar.length)
})

test.each(similar)('%j: a name that GitHub takes and the publishing workflow looks for', (checkName) => {
  expect(artifactName(checkName)).toMatch(/^[a-z0-9._-]{1,130}$/)
  expect(artifactName(checkName).startsWith(artifactPrefix)).toBe(true)
})

import { describe, expect, test } from '@jest/globals'
import { project, shorten } from '../../src/github/projection.js'
import type { SectionMark } from '../../src/github/sections.js'
import { isOlder, parseSection, formatSection, sectionsOf } from '../../src/github/sections.js'
import type { Section } from '../../src/github/sections.js'

const url = 'https://github.com/Codertocat/Hello-World/pull/2/checks'
const mark = { comment: 'always', fails: true, digest: '0', run: { id: 1, attempt: 1 } } as const

function section(name: string, markdown = `Report of ${name}.`): Section {
  return { key: name, name, title: `❌ Regression: ${name}`, mark, markdown, url: 'https://github.com/runs/1' }
}

function gates(count: number, markdown?: string): readonly Section[] {
  return Array.from({ length: count }, (_, place) => section(`Gate ${String(place).padStart(3, '0')}`, markdown))
}

const folded = `<details>\n<summary>Images</summary>\n\n${'1, 2, 3\n\n'.repeat(200)}</details>`
const long = `❌ **Regression**\n\n| a | b |\n| :-- | --: |\n${'| c | 1 |\n'.repeat(20)}\n${folded}\n\n<sub>Robustness Gate</sub>\n`

describe('a comment stays under GitHub’s limit', () => {
  test.each([1, 2, 10, 60, 300, 2000])('with %i gates whose reports are long', (count) => {
    const { markdown = '' } = project(gates(count, long.repeat(40)), url, 64_000) ?? {}
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(64_000)
    expect(markdown.match(/<details>/g)?.length ?? 0).toBe(markdown.match(/<\/details>/g)?.length ?? 0)
  })

  test('and says how many are left out, with a link to all', () => {
    const { markdown = '' } = project(gates(2000, long), url, 64_000) ?? {}
    const shown = markdown.match(/^\| Gate \d/gm)?.length ?? 0
    expect(markdown).toContain(`…and ${2000 - shown} more gates that do not fit here: [all checks](${url}).`)
    const reports = markdown.match(/^### /gm)?.length ?? 0
    expect(reports).toBeGreaterThan(5)
    expect(markdown).toContain(`…and ${2000 - reports} reports that do not fit here: [all checks](${url}).`)
  })

  test('a short report is not shortened because others are long', () => {
    const { markdown = '' } = project([section('A', long.repeat(60)), section('B')], url, 64_000) ?? {}
    expect(markdown).toContain('### B\n\nReport of B.')
  })
})

test('what is folded is left out as a whole', () => {
  expect(shorten(long, 600, 'https://github.com/runs/1')).toMatch(
    /^❌ \*\*Regression\*\*[^]*\| c \| 1 \|\n\nThe rest of this report did not fit here: \[the check run\]\(https:\/\/github.com\/runs\/1\)\.\n$/,
  )
})

test('names and titles are text, whatever they hold', () => {
  const { markdown = '' } =
    project(
      [section('a](x) <img src=x> | @octocat', 'Report.'), { ...section('b'), title: '@octocat | <b>' }],
      url,
      64_000,
    ) ?? {}
  expect(markdown).not.toMatch(/<img|<b>|@octocat/)
  expect(
    markdown
      .split('\n')
      .slice(0, 4)
      .map((line) => line.split(' | ').length),
  ).toEqual([3, 3, 3, 3])
})

test('what a check run says to other runs is read as it was written', () => {
  const said = { ...mark, comment: 'on-change', pullRequest: 2, candidate: 'c'.repeat(64) } as const
  expect(parseSection(formatSection(said, 'Report.\n'))).toEqual({ mark: said, markdown: 'Report.\n' })
  const since = { ...said, since: '2026-01-01T00:01:00Z' }
  expect(parseSection(formatSection(since, 'Report.\n'))).toEqual({ mark: since, markdown: 'Report.\n' })
  for (const pullRequest of [undefined, 'unknown'] as const) {
    const of = { ...since, pullRequest }
    expect(parseSection(formatSection(of, 'Report.\n'))).toEqual({ mark: of, markdown: 'Report.\n' })
  }
  expect(parseSection('Report.\n')).toBeUndefined()
})

test('of several check runs of a gate the newest counts, and those of others do not', () => {
  const run = (id: number, external: string | null, words: string, pullRequest: SectionMark['pullRequest'] = 2) => ({
    ...{ id, name: 'A', external_id: external, html_url: null },
    output: { title: words, summary: formatSection({ ...mark, pullRequest }, words) },
  })
  const runs = [run(3, 'robustness-gate:A', 'new'), run(1, 'robustness-gate:A', 'old'), run(4, 'job-42', 'other')]
  expect(sectionsOf([...runs, run(5, null, 'none')], 2).map(({ markdown }) => markdown)).toEqual(['new'])
  const another = run(6, 'robustness-gate:A', 'another pull request’s', 3)
  expect(sectionsOf([...runs, another], 2).map(({ markdown }) => markdown)).toEqual(['new'])
})

test.each([
  ['an earlier run', [1, 1], [2, 1], true],
  ['a later run', [2, 1], [1, 1], false],
  ['an earlier attempt', [2, 1], [2, 2], true],
  ['the same', [2, 1], [2, 1], false],
  ['an earlier run that was started again', [1, 2], [2, 1], false],
] as const)('%s', (_, [id, attempt], [otherId, otherAttempt], older) => {
  expect(isOlder({ id, attempt }, { id: otherId, attempt: otherAttempt })).toBe(older)
})

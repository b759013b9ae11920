import XMLBuilder from 'fast-xml-builder'
import { threatTitle } from '../comparison/text.js'
import type { Comparison } from '../comparison/types.js'
import { plain } from './escape.js'
import { findings } from './findings.js'
import type { Finding } from './findings.js'

interface TestCase {
  readonly name: string
  readonly findings: readonly Finding[]
}

/**
 * A comparison as JUnit XML, for what collects test results: a test case for clean accuracy and for each threat's worst
 * case, and one for each finding that is about no row. What fails the job is a failure; what was accepted, or is undecided
 * and does not fail it, is skipped, with its message; an evaluation that broke is an error.
 */
export function junitXml(comparison: Comparison): string {
  const found = findings(comparison)
  const cases = testCases(comparison, found)
  const counts = {
    '@_tests': cases.length,
    '@_failures': cases.filter((one) => outcomeOf(one) === 'failure').length,
    '@_errors': cases.filter((one) => outcomeOf(one) === 'error').length,
    '@_skipped': cases.filter((one) => outcomeOf(one) === 'skipped').length,
  }
  const model = text(comparison.candidate?.name ?? 'candidate', 200)
  const document = {
    testsuites: {
      ...{ '@_name': 'Robustness gate', ...counts, '@_time': '0' },
      testsuite: {
        ...{ '@_name': model, ...counts, '@_time': '0' },
        testcase: cases.map((one) => ({
          ...{ '@_name': one.name, '@_classname': model, '@_time': '0' },
          ...result(one, comparison),
        })),
      },
    },
  }
  const builder = new XMLBuilder({ ignoreAttributes: false, format: true, suppressEmptyNode: true })
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build(document)}`
}

/** Without control characters, which XML 1.0 has no way to write; the builder escapes the rest. */
function text(foreign: string, limit = 1_000): string {
  return plain(foreign, limit)
}

function testCases({ verdict, rows, threats }: Comparison, found: readonly Finding[]): readonly TestCase[] {
  const titles = new Map(rows.map(({ id, title }) => [id, title]))
  const about = [
    { id: 'clean', title: 'Clean accuracy' },
    ...threats.map((threat) => ({ id: threat.id, title: `Worst case, ${threatTitle(threat)}` })),
  ]
  const measured = verdict.outcome === 'error' ? [] : about
  const ids = new Set(measured.map(({ id }) => id))
  return [
    ...measured.map(({ id, title }) => ({
      name: text(id === 'clean' ? title : (titles.get(id) ?? title), 200),
      findings: found.filter(({ row }) => row === id),
    })),
    ...found
      .filter(({ row }) => row === undefined || !ids.has(row))
      .map((finding) => ({
        name: finding.kind === 'error' ? 'Evaluation' : text(finding.code, 200),
        findings: [finding],
      })),
  ]
}

function outcomeOf({ findings: found }: TestCase): 'error' | 'failure' | 'skipped' | 'passed' {
  if (found.some(({ kind }) => kind === 'error')) return 'error'
  if (found.some(({ fails }) => fails)) return 'failure'
  return found.length > 0 ? 'skipped' : 'passed'
}

/** One element: the common schema allows no second. */
function result(one: TestCase, { verdict }: Comparison): object {
  const outcome = outcomeOf(one)
  if (outcome === 'passed') return {}
  const messages = text(one.findings.map(({ message }) => message).join(' '))
  const { acceptance } = verdict
  if (outcome === 'skipped') {
    const accepted = acceptance && ` Accepted by ${text(acceptance.who, 60)}, ${text(acceptance.when, 60)}.`
    return { skipped: { '@_message': `${messages}${accepted ?? ''}` } }
  }
  const type = one.findings.map(({ code }) => text(code, 60)).join(', ')
  return { [outcome]: { '@_message': messages, '@_type': type, '#text': messages } }
}

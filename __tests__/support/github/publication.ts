import type { Publication } from '../../../src/github/publish.js'
import type { SectionMark } from '../../../src/github/sections.js'

export const headSha = 'ec26c3e57ca3a959ca5aad62de7213c562f8c821'
export const nextSha = '0123456789abcdef0123456789abcdef01234567'

type Check = Publication['check']
export type Changes = Partial<Omit<Check, 'mark'>> & { readonly mark?: Partial<SectionMark> }

/** What a gate has to say, on pull request 2: a regression, unless `changes` say something else. */
export function saying(summary: string, { mark = {}, ...check }: Changes = {}): Publication {
  const digest = Buffer.from(summary.slice(0, 20)).toString('hex')
  return {
    check: {
      ...{
        headSha,
        checkName: 'Robustness gate',
        conclusion: 'failure',
        title: `❌ ${summary.slice(0, 100)}`,
        summary,
      },
      ...{ detailsUrl: 'https://github.com/Codertocat/Hello-World/actions/runs/1', annotations: [] },
      ...check,
      mark: {
        ...{ comment: 'always', fails: true, digest, run: { id: 1, attempt: 1 }, pullRequest: 2 },
        ...{ candidate: 'a'.repeat(64) },
        ...mark,
      },
    },
    pullRequest: { number: 2, checksUrl: 'https://github.com/Codertocat/Hello-World/pull/2/checks' },
  }
}

/** A comment without its marker. */
export function wordsOf({ body }: { readonly body: string }): string {
  return body.replace(/^<!--.*-->\n/, '')
}

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

interface Payloads {
  readonly pull_request: {
    readonly number: number
    readonly pull_request: {
      readonly head: { readonly sha: string; readonly repo: object | null }
      readonly base: { readonly sha: string; readonly ref: string; readonly repo: object }
    }
  }
  readonly push: { readonly ref: string; readonly before: string; readonly after: string; readonly repository: object }
  readonly merge_group: { readonly merge_group: { readonly head_sha: string; readonly base_sha: string } }
  readonly workflow_dispatch: object
  readonly workflow_run: { readonly action: string; readonly workflow_run: object }
}

/** Every payload GitHub gives as an example of an event. */
export function examplesOf<Name extends keyof Payloads>(name: Name): readonly Payloads[Name][] {
  const file = createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json')
  const events = JSON.parse(readFileSync(file, 'utf8')) as readonly {
    readonly name: string
    readonly examples: readonly Payloads[Name][]
  }[]
  const found = events.find((event) => event.name === name)
  if (found === undefined) throw new Error(`@octokit/webhooks-examples has no ${name}`)
  return found.examples
}

/** The first of them; tests change the commits in it. */
export function exampleOf<Name extends keyof Payloads>(name: Name): Payloads[Name] {
  return examplesOf(name)[0]
}

/** What GitHub hands to a job on a pull request to main. */
export function pullRequestFrom(head: string, base: string): Payloads['pull_request'] {
  const { pull_request: pull, ...rest } = exampleOf('pull_request')
  const commits = { head: { ...pull.head, sha: head }, base: { ...pull.base, sha: base, ref: 'main' } }
  return { ...rest, pull_request: { ...pull, ...commits } }
}

import { basename, posix, resolve } from 'node:path'
import type { ModelBytes } from '../engine/messages.js'
import { UsageError } from '../errors.js'
import type { FindBase } from './base.js'
import { checkedOutCommit, resolveCommit } from './history.js'
import { readCommitted } from './tree.js'
import type { LocateInGit, TrackedFile } from './workspace.js'

/** What the candidate is compared with. */
export type Baseline =
  | { readonly kind: 'model'; readonly model: ModelBytes }
  /** The text of a results.json. */
  | { readonly kind: 'results'; readonly name: string; readonly text: string }
  /** A file of the workspace that no commit holds: an earlier step of the job fetched or made it. */
  | { readonly kind: 'file'; readonly path: string }
  /** `none`: not wanted, or the event has none. `missing`: the model, or its results, did not exist at the base. */
  | { readonly kind: 'none' | 'missing'; readonly reason: string }

export interface BaselineRequest {
  /** `auto`, `none`, `ref:BRANCH|TAG|SHA`, `path:FILE`, `results:FILE`. */
  readonly spec: string
  /** Absolute path of the candidate. */
  readonly model: string
  /** Relative paths of `path:` and `results:` start here. */
  readonly workspace: string
  /** Whether a pull request could have changed a committed baseline: then only the base commit's counts. */
  readonly guarded: boolean
}

/**
 * Finds the baseline a workflow asks for. Reads files and git, parses nothing.
 *
 * @param base - Where the change starts from; asked only when it is needed.
 * @throws UsageError for a request that makes no sense or a baseline that cannot be had.
 */
export async function findBaseline(request: BaselineRequest, base: FindBase, locate: LocateInGit): Promise<Baseline> {
  const { spec } = request
  if (spec === 'none') return { kind: 'none', reason: 'the workflow asks for none (baseline: none)' }
  if (spec === 'auto') {
    const found = await base((await locate(request.model))?.git)
    if ('absent' in found) return { kind: found.absent, reason: found.reason }
    return modelAt(await tracked(request, locate), found.commit)
  }
  const [kind, argument] = split(spec)
  switch (kind) {
    case 'ref': {
      const file = await tracked(request, locate)
      return modelAt(file, await resolveCommit(file.git, argument))
    }
    case 'path':
    case 'results':
      return committedFile(kind, resolve(request.workspace, argument), request, base, locate)
    default:
      throw new UsageError(`baseline "${spec}": write auto, none, ref:BRANCH, ref:SHA, path:FILE or results:FILE`)
  }
}

function split(spec: string): readonly [kind: string, argument: string] {
  const colon = spec.indexOf(':')
  const argument = spec.slice(colon + 1).trim()
  return colon > 0 && argument !== '' ? [spec.slice(0, colon).trim(), argument] : ['', '']
}

async function tracked(request: BaselineRequest, locate: LocateInGit): Promise<TrackedFile> {
  const file = await locate(request.model)
  if (file !== undefined) return file
  throw new UsageError(
    `baseline ${request.spec}: ${request.model} is not in a git checkout; run actions/checkout before the gate, or give baseline: path:…`,
  )
}

async function modelAt({ git, path }: TrackedFile, commit: string): Promise<Baseline> {
  const bytes = await readCommitted(git, commit, path)
  const short = commit.slice(0, 12)
  if (bytes === undefined)
    return { kind: 'missing', reason: `${path} does not exist at ${short}: this is its first adoption` }
  const external: Record<string, Uint8Array> = {}
  for (const name of externalDataNames(path)) {
    const data = await readCommitted(git, commit, posix.join(posix.dirname(path), name))
    if (data !== undefined) external[name] = data
  }
  return { kind: 'model', model: { name: `${path} at ${short}`, bytes, external } }
}

/** What exporters call the file of weights beside a model: PyTorch, onnx' own helpers, Hugging Face's Optimum. */
function externalDataNames(path: string): readonly string[] {
  const name = basename(path)
  const stem = name.replace(/\.onnx$/i, '')
  return [...new Set([`${name}.data`, `${name}_data`, `${stem}.data`])]
}

async function committedFile(
  kind: 'path' | 'results',
  file: string,
  request: BaselineRequest,
  base: FindBase,
  locate: LocateInGit,
): Promise<Baseline> {
  const located = request.guarded ? await locate(file) : undefined
  if (located === undefined) return { kind: 'file', path: file }
  const found = await base(located.git)
  if ('absent' in found) return { kind: 'file', path: file }
  if (kind === 'path') {
    const atBase = await modelAt(located, found.commit)
    if (atBase.kind === 'model') return atBase
  } else {
    const bytes = await readCommitted(located.git, found.commit, located.path)
    if (bytes !== undefined)
      return {
        kind: 'results',
        name: `${located.path} at ${found.commit.slice(0, 12)}`,
        text: Buffer.from(bytes).toString('utf8'),
      }
  }
  const added = await readCommitted(located.git, await checkedOutCommit(located.git), located.path)
  if (added === undefined) return { kind: 'file', path: file }
  return {
    kind: 'missing',
    reason: `the pull request itself adds ${located.path}, so there is nothing older to hold it to`,
  }
}

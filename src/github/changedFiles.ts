import { posix } from 'node:path'
import { oneLine } from '../text.js'
import type { Client } from './client.js'
import type { Governing } from './governed.js'
import { everyOne } from './pages.js'

/** What a pull request changes, as GitHub lists it. */
export interface ChangedFiles {
  /** From the root of the repository; of a renamed file both. */
  readonly paths: readonly string[]
  /** GitHub lists 3000 files at most. */
  readonly complete: boolean
}

const mostListed = 3_000

/** A file or folder that decides how a pull request is judged, as GitHub names it. */
export interface GoverningPath {
  readonly kind: Governing['kind']
  /** From the root of the repository. */
  readonly path: string
}

export async function changedFiles({ octokit, repository }: Client, pullRequest: number): Promise<ChangedFiles> {
  const place = { ...repository, pull_number: pullRequest, per_page: 100 }
  const files = await everyOne((page) => octokit.rest.pulls.listFiles({ ...place, page }))
  const paths = files.flatMap(({ filename, previous_filename: before }) =>
    before === undefined ? [filename] : [before, filename],
  )
  return { paths, complete: files.length < mostListed }
}

/** Files that lie beside models and hold no weights. External data may be called anything else. */
const noWeights =
  /(?:^|\/)(?:\.[^/]*|licen[cs]e|makefile|dockerfile|codeowners|[^/]+\.(?:onnx|md|rst|txt|ya?ml|json|toml|ini|cfg|lock|py|ipynb|[cm]?[jt]s|sh|html|npz|npy|csv|gz|png|jpe?g|svg|pdf))$/i

/**
 * The first changed file that is a model's, or may be: itself, or external data in its folder. Not told by the contents, so
 * of a name that only looks so the answer is wrong on the safe side.
 *
 * @param model - Its path in the repository.
 * @param surely - Whether that is its path; otherwise any model may be the one.
 */
export function changeOfModel(paths: readonly string[], model: string, surely: boolean): string | undefined {
  const path = posix.normalize(model.replaceAll('\\', '/'))
  const folder = posix.dirname(path)
  // Of a model at the root the whole repository is in its folder.
  const isBeside = (other: string) =>
    folder === '.' ? !other.includes('/') : other.startsWith(`${folder}/`) || other === `${folder}.dvc`
  return paths.find(
    (other) =>
      other === path ||
      other === `${path}.dvc` ||
      (isBeside(other) && !noWeights.test(other)) ||
      (!surely && other.toLowerCase().endsWith('.onnx')),
  )
}

/** What a reader has to know of a pull request that is judged by what another run has reported; one sentence each. */
export function changeNotes({ paths, complete }: ChangedFiles, governing: readonly GoverningPath[]): readonly string[] {
  const workflows = paths.filter((path) => path.startsWith('.github/workflows/'))
  return [
    ...(workflows.length === 0
      ? []
      : [
          `The pull request changes ${oneLine(workflows.join(', '), 300)}: what ran may have been another workflow than that of the default branch, and may have reported anything.`,
        ]),
    ...governing.filter(({ path }) => paths.some((changed) => isOf(changed, path))).map(sentence),
    ...(complete
      ? []
      : [
          'The pull request changes more files than GitHub lists: what else of its own yardstick it changes is unknown.',
        ]),
  ]
}

function isOf(changed: string, path: string): boolean {
  return changed === path || changed === `${path}.dvc` || changed.startsWith(`${path}/`)
}

function sentence({ kind, path }: GoverningPath): string {
  const shown = oneLine(path, 200)
  if (kind === 'config')
    return `The pull request changes the config (${shown}). It is judged by the one of the default branch; a model that only the changed one names was not looked at.`
  if (kind === 'baseline')
    return `The pull request changes the baseline (${shown}). The one of the base commit is what the run should have used.`
  return `The pull request changes the ${kind} (${shown}). Both models were measured on the changed ${kind}.`
}

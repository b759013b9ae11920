import { isAbsolute, relative, sep } from 'node:path'
import { withSlashes } from '../data/files.js'

/** The path from the workspace, with slashes; undefined of what lies elsewhere. */
export function insideOf(workspace: string, file: string): string | undefined {
  const path = relative(workspace, file)
  return path === '' || isAbsolute(path) || path.split(sep)[0] === '..' ? undefined : withSlashes(path)
}

import { createHash } from 'node:crypto'

/**
 * What a gate's artifact is called, by which `baseline: auto` finds it again. Two gates never share one: a check name that loses
 * anything on its way to letters and digits gets a hash of the whole.
 */
export function artifactName(checkName: string): string {
  const plain = /^Robustness gate(?:: ([a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?))?$/.exec(checkName)
  if (plain !== null) return [prefix, plain[1]].filter(Boolean).join('-')
  const slug = checkName
    .toLowerCase()
    .replace(/^robustness gate\b/, '')
    .replace(/[^a-z0-9._-]+/g, '-')
    .slice(0, 100)
    .replace(/^-+|-+$/g, '')
  const hash = createHash('sha256').update(checkName).digest('hex').slice(0, 8)
  return [prefix, slug, hash].filter(Boolean).join('-')
}

const prefix = 'robustness-gate'

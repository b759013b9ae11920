/** By it `mode: publish` and `baseline: auto` find what a gate has uploaded. */
export function artifactName(checkName: string): string {
  const slug = checkName
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return /^robustness-gate(-|$)/.test(slug) ? slug : `robustness-gate-${slug}`.replace(/-$/, '')
}

import { createHash } from 'node:crypto'
import type { Location, Log, ReportingDescriptor, Result } from 'sarif'
import type { Comparison } from '../comparison/types.js'
import { version } from '../version.js'
import { plain } from './escape.js'
import { findings } from './findings.js'
import type { Finding } from './findings.js'
import { jsonText } from './json.js'

/**
 * A comparison as SARIF 2.1.0, for what collects findings of analyses: one result for each reason that fails the job
 * (`error`) or leaves the verdict open (`warning`), on the model's file. A comparison that passes has none.
 *
 * @param model - Path of the candidate in the repository, where the comparison does not know it.
 */
export function sarifLog(comparison: Comparison, model = comparison.candidate?.name): string {
  const path = model === undefined ? undefined : uriOf(model)
  const log: Log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Robustness Gate', version, semanticVersion: version, rules } },
        invocations: [{ executionSuccessful: comparison.verdict.outcome !== 'error' }],
        columnKind: 'utf16CodeUnits',
        results: findings(comparison).map((finding) => resultOf(finding, path)),
      },
    ],
  }
  return jsonText(log)
}

function resultOf({ code, message, row = '', fails }: Finding, path: string | undefined): Result {
  // Else whoever takes this in makes it of the line, and a binary file has none: the alert would be another each time.
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([code, row, path]))
    .digest('hex')
    .slice(0, 16)
  return {
    ruleId: code,
    ruleIndex: rules.findIndex(({ id }) => id === code),
    level: fails ? 'error' : 'warning',
    message: { text: plain(message, 1_000) || code },
    partialFingerprints: { primaryLocationLineHash: `${fingerprint}:1` },
    ...(path !== undefined && { locations: [locationOf(path)] }),
  }
}

/** A model has no lines; those who show results want one. */
function locationOf(uri: string): Location {
  return { physicalLocation: { artifactLocation: { uri, uriBaseId: '%SRCROOT%' }, region: { startLine: 1 } } }
}

/** A relative reference that stays below the root. Of a path that does not, which a stranger's results may name, its last part. */
function uriOf(path: string): string {
  const parts = plain(path, 500)
    .split(/[\\/]/)
    .filter((part) => part !== '.')
  const inside = parts.every((part) => part !== '' && part !== '..' && !/^[a-z]:$/i.test(part))
  const kept = inside ? parts : parts.filter((part) => part !== '' && part !== '..').slice(-1)
  return (kept.length > 0 ? kept : ['model']).map(encodeURIComponent).join('/')
}

const rules: ReportingDescriptor[] = [
  rule('robust-drop', 'Robust accuracy falls by more than is allowed.'),
  rule('clean-drop', 'Clean accuracy falls by more than is allowed.'),
  rule('min-robust-accuracy', 'Robust accuracy is under its absolute limit.'),
  rule('min-clean-accuracy', 'Clean accuracy is under its absolute limit.'),
  rule(
    'robust-drop-unproven',
    'Robust accuracy falls by more than is allowed, but too few images were there to prove it.',
  ),
  rule(
    'clean-drop-unproven',
    'Clean accuracy falls by more than is allowed, but too few images were there to prove it.',
  ),
  rule('masked-gradients', 'Gradients are masked or missing, so robust accuracy is only an upper bound.'),
  rule('error', 'An evaluation could not be completed, so nothing is known.'),
]

function rule(id: string, description: string): ReportingDescriptor {
  return { id, shortDescription: { text: description }, defaultConfiguration: { level: 'error' } }
}

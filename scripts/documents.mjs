import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/**
 * Writes the README's tables of inputs and outputs from action.yml, between markers.
 *
 *     node scripts/documents.mjs            # writes
 *     node scripts/documents.mjs --check    # ends with status 1 where the README is behind
 */

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const readme = join(root, 'README.md')

const { inputs, outputs } = parse(await readFile(join(root, 'action.yml'), 'utf8'))
const before = await readFile(readme, 'utf8')
const after = between(between(before, 'inputs', table('input', inputs)), 'outputs', table('output', outputs))
if (process.argv.includes('--check')) {
  if (after !== before) {
    console.error('README.md does not say what action.yml says: run `node scripts/documents.mjs`.')
    process.exitCode = 1
  }
} else await writeFile(readme, after)

function table(kind, rows) {
  const lines = Object.entries(rows).map(([name, row]) => `| \`${name}\` | ${meaning(row)} |`)
  return [`| ${kind} | meaning |`, '| --- | --- |', ...lines].join('\n')
}

function meaning({ description, default: standard }) {
  const text = description.trim().replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')
  return standard === undefined ? text : `${text} (default \`${standard}\`)`
}

function between(text, name, content) {
  const [open, close] = [`<!-- ${name}: node scripts/documents.mjs -->`, `<!-- /${name} -->`]
  const [start, end] = [text.indexOf(open), text.indexOf(close)]
  if (start < 0 || end < start) throw new Error(`README.md lacks the markers ${open} and ${close}`)
  return `${text.slice(0, start + open.length)}\n\n${content}\n\n${text.slice(end)}`
}

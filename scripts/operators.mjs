import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transpile } from './transpile.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Writes docs/operators.md from the tables that gradients are made with. */
await transpile()
const { operatorDocument, operatorRows } = await import('../.build/autodiff/operatorTable.js')
const versions = JSON.parse(await readFile(join(root, 'scripts/reference/operatorVersions.json'), 'utf8'))
await writeFile(join(root, 'docs/operators.md'), operatorDocument(operatorRows(versions)))

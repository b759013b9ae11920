import { readFile } from 'node:fs/promises'
import { expect, test } from '@jest/globals'
import { FLAGS } from '../../src/engine/flagTable.js'

/** Whoever meets a flag in a report looks it up here. */
test('docs/flags.md explains every flag there is, by the kind the code gives it', async () => {
  const text = await readFile(new URL('../../docs/flags.md', import.meta.url), 'utf8')
  const sections = [...text.matchAll(/^### `([^`]+)`\n\nKind: (\w+)\./gm)].map(([, code, kind]) => [code, kind])
  const table = Object.entries(FLAGS).map(([code, { kind }]) => [code, kind])
  expect(sections.toSorted()).toEqual(table.toSorted())
  expect(text.match(/^### /gm)).toHaveLength(table.length)
})

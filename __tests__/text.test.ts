import { expect, test } from '@jest/globals'
import { logLine } from '../src/text.js'

/** How the runner finds a command in a line: `::` after white space, or `##[` anywhere (actions/runner, ActionCommand.cs). */
const isCommand = (line: string) => line.trimStart().startsWith('::') || line.includes('##[')

test.each([
  '::error::x',
  ' \t::set-env name=PATH::/evil',
  '\u200b::stop-commands::x',
  'a ##[error]b',
  '###[warning]x',
  '##\u200b[add-mask]x',
  'one line\n::error::another',
  '::::error::x',
])('%j gives the runner no order', (text) => {
  expect(isCommand(logLine(text))).toBe(false)
})

test('a sentence stays as it is', () => {
  const sentence = 'models/a.onnx: is a folder; give std::string #3 [x]'
  expect(logLine(sentence)).toBe(sentence)
})

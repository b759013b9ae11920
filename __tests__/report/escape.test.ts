import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { code, plain, prose } from '../../src/report/escape.js'

/** As GitHub reads it, but raw HTML comes through, so that any that was smuggled in shows up as a tag. */
const render = (markdown: string) =>
  micromark(markdown, {
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
    allowDangerousHtml: true,
    allowDangerousProtocol: true,
  })

const tags = (html: string) => (html.match(/<[^>]*>?/g) ?? []).map((tag) => tag.replace(/ align="\w+"/, ''))

const HOSTILE = [
  'a',
  'Z',
  '7',
  ' ',
  '\n',
  '\r\n',
  '\t',
  '|',
  '\\',
  '\\|',
  '`',
  '``',
  '*',
  '**',
  '_',
  '~~',
  '[',
  ']',
  '(',
  ')',
  '](',
  '![',
  '<',
  '>',
  '<!--',
  '-->',
  '<b>',
  '</td>',
  '</details>',
  '<img src=x onerror=alert(1)>',
  '&lt;',
  '&#64;',
  '&',
  '@',
  '@octocat',
  'someone@example.com',
  '#',
  '#123',
  'octo/repo#1',
  'GH-12',
  ':',
  ':tada:',
  'http://',
  'https://evil.example/x',
  'www.',
  'www.evil.example',
  'mailto:',
  'xmpp:',
  '//',
  '.',
  '-',
  '- ',
  '+ ',
  '1. ',
  '1) ',
  '# ',
  '> ',
  '---',
  '===',
  '$',
  '$$',
  '[^1]',
  '[x]',
  '[!NOTE]',
  '"',
  "'",
  '\u202e',
  '\u200b',
  '\u2066',
  '\0',
  '\u001b[2J',
  '\u0007',
  '\ud800',
  '\u2028',
  'deadbeefcafe',
  '0123456789abcdef0123456789abcdef01234567',
  'é',
  '日本',
  '🙂',
  '\u0301\u0301\u0301\u0301',
]
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 12 })
  .map((parts) => parts.join(''))
const runs = { numRuns: 500 }

const control = /[\p{Cc}\p{Zl}\p{Zp}\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u

/** What GitHub turns into links and pictures after markdown, outside of code. */
const references = /@[a-z0-9]|#\d|\bgh-\d|:[a-z0-9_+-]+:|:\/\/|\bwww\.|\b[0-9a-f]{7,40}\b/i

describe('code', () => {
  test('whatever the name, it is one code span in one cell', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const html = render(`| a | b |\n|---|---|\n| ${code(text)} | x |\n`)
        const spans = /<td>(<code>[^<]*<\/code>)<\/td>\n<td>x<\/td>/.exec(html)
        expect(spans).not.toBeNull()
        expect(tags(html).filter((tag) => !/^<\/?(table|thead|tbody|tr|th|td|code)>$/.test(tag))).toEqual([])
        expect(tags(html).filter((tag) => tag === '<code>')).toHaveLength(1)
      }),
      runs,
    )
  })

  test('whatever the name, it holds no marker, no control and no bidirectional character', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(code(text)).not.toMatch(/[<>|\n]/)
        expect(code(text)).not.toMatch(control)
        expect(code(text)).toMatch(/^`[^`]+`$/)
      }),
      runs,
    )
  })

  test('ordinary names stay as they are', () => {
    expect(code('models/fashion-hardened.onnx')).toBe('`models/fashion-hardened.onnx`')
    expect(code('T-shirt & top')).toBe('`T-shirt & top`')
    expect(code('  ')).toBe('`(empty)`')
  })
})

describe('prose', () => {
  test('whatever the sentence, it is text: no link, picture, tag, list or second cell', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const cell = render(`| a | b |\n|---|---|\n| ${prose(text)} | x |\n`)
        expect(tags(cell).filter((tag) => !/^<\/?(table|thead|tbody|tr|th|td)>$/.test(tag))).toEqual([])
        expect(cell).toContain('<td>x</td>\n</tr>')
        const item = render(`- ${prose(text) || 'x'}\n`)
        expect(tags(item)).toEqual(['<ul>', '<li>', '</li>', '</ul>'])
      }),
      runs,
    )
  })

  test('whatever the sentence, what is shown mentions nobody, refers to nothing and is no address', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const shown = render(prose(text)).replace(/&lt;|&gt;|&quot;|&amp;/g, ' ')
        expect(shown).not.toMatch(references)
        expect(prose(text)).not.toMatch(/<|>|\||\n/)
        expect(prose(text).replace(/\u2060/g, '')).not.toMatch(control)
      }),
      runs,
    )
  })

  test('the tests above can fail: GitHub’s reading of the raw text makes links, tags and mentions', () => {
    expect(tags(render('see https://evil.example and <b>'))).toContain('<b>')
    expect(render('see www.evil.example')).toContain('<a href')
    expect(render('write to someone@example.com')).toContain('<a href')
    for (const text of ['@octocat', '#123', 'GH-12', ':tada:', 'deadbeefcafe']) expect(text).toMatch(references)
  })

  test('reads the same as before', () => {
    const message = 'Robust accuracy under Linf ε = 8/255 falls from 72.8 % to 3.6 % (−69.2 points, allowed 1.0).'
    expect(prose(message)).toBe(message)
    const hostileMessage = '*bold* [link](http://x) <img> @you'
    expect(render(prose(hostileMessage)).replace(/\u2060/g, '')).toBe('<p>*bold* [link](http://x) &lt;img&gt; @you</p>')
  })
})

describe('length', () => {
  test('is limited in characters, and no emoji is cut in half', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (text, limit) => {
        const short = plain(text, limit)
        expect([...short].length).toBeLessThanOrEqual(limit)
        expect(short).not.toMatch(/[\ud800-\udfff]/u)
      }),
      runs,
    )
    expect(plain('abcdef', 4)).toBe('abc…')
    expect(plain('abcd', 4)).toBe('abcd')
  })

  test('a terminal never gets an escape sequence', () => {
    expect(plain('model\u001b[2J\u0007.onnx\r\nPass')).toBe('model [2J .onnx Pass')
  })
})

/**
 * Text of others (names of models and classes, messages, flags) on its way into markdown, HTML or a terminal. Three ways out:
 * `plain` for terminals, `code` for names, `prose` for sentences.
 */

const WORD_JOINER = '\u2060'

/** One line without control, bidirectional, zero-width or private characters, at most `limit` characters long. */
export function plain(text: string, limit = 300): string {
  const line = text
    .slice(0, 16 * limit)
    .replace(/[\p{C}\p{Z}\s]+/gu, ' ')
    // Stacked accents would climb out of their line.
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .trim()
  const characters = [...line]
  return characters.length <= limit ? line : `${characters.slice(0, limit - 1).join('')}…`
}

/**
 * A code span: GitHub looks for no mention, reference, link, emoji or commit in there. The few characters that could end the
 * span, split a table's cell or look like a tag are replaced by ones that look alike.
 */
export function code(text: string, limit = 80): string {
  const lookalikes: Readonly<Record<string, string>> = { '`': 'ˋ', '|': '¦', '<': '‹', '>': '›', '\\': '∖' }
  const content = plain(text, limit).replace(/[`|<>\\]/g, (character) => lookalikes[character])
  return `\`${content === '' ? '(empty)' : content}\``
}

/**
 * A sentence. What markdown would act on becomes an entity; what GitHub acts on after markdown (mentions, references,
 * addresses, emoji, commits) is broken by an invisible word joiner, because entities are resolved before it looks.
 */
export function prose(text: string, limit = 500): string {
  return plain(text, limit)
    .replace(/[@#]|:(?=\S)|www(?=\.)|gh(?=-)/gi, (found) => found + WORD_JOINER)
    .replace(
      /[0-9a-f]{7,}/gi,
      (found) => found.slice(0, 4) + WORD_JOINER + found.slice(4).replace(/.{6}/g, `$&${WORD_JOINER}`),
    )
    .replace(/^[-+=]|^\d+(?=[.)])|[\\`*_[\]~|<>&$]/g, (found) => [...found].map(entity).join(''))
}

function entity(character: string): string {
  return `&#${character.charCodeAt(0)};`
}

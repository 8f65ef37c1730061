/*
 * Text that came with a message, a file or an error may hold what a terminal obeys: escape sequences that move the cursor or
 * rename the window, line breaks that fake a line of ours, marks that turn the direction of what follows.
 */

/** Control characters (C0, DEL, C1), format characters (direction marks, zero-width ones), halves of pairs, and line separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu
/** Those of them that JSON leaves as they are. */
const unescaped = /[\u007F-\u009F\p{Cf}\p{Cs}\u2028\u2029]/gu

/** Returns text for one line of a terminal: what is not printable as an escape, `\x1b` or `\u{202e}`. */
export const printable = (text: string): string => text.replaceAll(unprintable, escaped)

/** The same for text of several lines: line breaks and tabs stay. */
export const printableLines = (text: string): string =>
  text.replaceAll(unprintable, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  )

/** Returns JSON text of the same meaning in which nothing is left that a terminal obeys but its line breaks. */
export const printableJson = (json: string): string =>
  json.replaceAll(unescaped, (character) =>
    // A character beyond 16 bits takes two escapes in JSON.
    [...Array(character.length).keys()].map((i) => `\\u${hex(character.charCodeAt(i), 4)}`).join(''),
  )

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  return code <= 0xff ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 4)}}`
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0')

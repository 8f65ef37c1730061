import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { printable, printableJson, printableLines } from './printable.ts'

const hostile =
  '\u001b[2J\u001b]0;owned\u0007\r\nline\u0000\u0085\u009b31m\u202eabc\u2066\u200f\ufeff\u2028\ud800\u{e0041}'

describe('text for a terminal', () => {
  it('shows every control and direction mark as an escape and leaves the rest', () => {
    expect(printable('SPY 12.5 % “é” 電')).toBe('SPY 12.5 % “é” 電')
    expect(printable('a\u001b[31mb\nc\u202ed')).toBe(String.raw`a\x1b[31mb\x0ac\u{202e}d`)
    expect(printable(hostile)).toMatch(/^[ -~]*$/)
  })

  it('keeps line breaks and tabs where there are several lines', () => {
    expect(printableLines('a\tb\n\u001bc\r')).toBe('a\tb\n\\x1bc\\x0d')
  })

  test.prop([fc.string({ unit: 'binary' })])('keeps the meaning of JSON', (text) => {
    const json = JSON.stringify({ text: `${text}${hostile}` })
    const safe = printableJson(json)
    expect(safe).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u)
    expect(JSON.parse(safe)).toEqual(JSON.parse(json))
  })
})

import { expect, test } from 'vitest'
import { tokensOf } from './tokens.ts'

const texts = (sql: string): string[] => [...tokensOf(sql)].map(({ text }) => text)

test('passes over comments and blanks', () => {
  expect(texts("SELECT /* FORMAT a */ 1 -- FORMAT b\n# FORMAT c\n, 'x'")).toEqual(['SELECT', '1', ',', "'x'"])
})

test('keeps escaped and doubled quotes inside a string', () => {
  expect(texts(String.raw`'a\'b' 'c''d' "e;f" ` + '`g h`')).toEqual([String.raw`'a\'b'`, "'c''d'", '"e;f"', '`g h`'])
})

test('takes a heredoc as one string', () => {
  expect(texts('SELECT $q$ FORMAT; $q$ x')).toEqual(['SELECT', '$q$ FORMAT; $q$', 'x'])
})

test('counts the depth of brackets', () => {
  expect([...tokensOf('a(b[c])d')].map(({ text, depth }) => `${text}${depth}`)).toEqual([
    'a0',
    '(0',
    'b1',
    '[1',
    'c2',
    ']1',
    ')0',
    'd0',
  ])
})

test('ends on text that is not closed', () => {
  expect(texts("SELECT 'open")).toEqual(['SELECT', "'open"])
  expect(texts('SELECT /* open')).toEqual(['SELECT'])
})

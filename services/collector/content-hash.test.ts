import { expect, it } from 'vitest'
import { contentHash } from './content-hash.ts'
import type { RawChain } from './providers/raw-chain.ts'

const chain = (symbols: string[], bid: number[], seen: (string | null)[] = symbols.map(() => null)): RawChain => ({
  symbols,
  numbers: { bid: Float64Array.from(bid) },
  texts: { seen },
})

const reference = contentHash(100, chain(['A', 'B'], [1, 2]))

it('is 32 hex digits', () => {
  expect(reference).toMatch(/^[0-9a-f]{32}$/)
})

it('does not depend on the order of the rows', () => {
  expect(contentHash(100, chain(['B', 'A'], [2, 1]))).toBe(reference)
})

it.each([
  ['the spot', contentHash(100.01, chain(['A', 'B'], [1, 2]))],
  ['a missing spot', contentHash(null, chain(['A', 'B'], [1, 2]))],
  ['a value', contentHash(100, chain(['A', 'B'], [1, 2.01]))],
  ['values changing places', contentHash(100, chain(['A', 'B'], [2, 1]))],
  ['a missing value', contentHash(100, chain(['A', 'B'], [1, NaN]))],
  ['a zero where one was missing', contentHash(100, chain(['A', 'B'], [1, 0]))],
  ['a contract more', contentHash(100, chain(['A', 'B', 'C'], [1, 2, 3]))],
  ['a symbol', contentHash(100, chain(['A', 'C'], [1, 2]))],
  ['a text', contentHash(100, chain(['A', 'B'], [1, 2], [null, '2026-11-16T10:00:00']))],
])('changes with %s', (_, hash) => {
  expect(hash).not.toBe(reference)
})

it('takes -0 for 0 and any NaN for missing', () => {
  expect(contentHash(1, chain(['A'], [-0]))).toBe(contentHash(1, chain(['A'], [0])))
})

import { expect, it } from 'vitest'
import { countsText, fuzzDecode } from '../../tests/support/fuzz-decode.ts'

it('5,000 hostile messages are refused, or decode to what the model allows', { timeout: 60_000 }, () => {
  const counts = fuzzDecode(1, 0, 5_000, () => {})
  process.stdout.write(`${countsText(counts)}\n`)
  expect(counts.offences).toEqual([])
  const kinds = Object.values(counts.byKind)
  expect(kinds.length).toBeGreaterThan(25)
  // The mutations reach all of the decoder: some of them leave a message that is still good.
  expect(counts.byKind['untouched']).toMatchObject({ refused: 0 })
  expect(kinds.reduce((sum, { decoded }) => sum + decoded, 0)).toBeGreaterThan(500)
})

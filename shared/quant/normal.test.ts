import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { erfc, erfcx, normalCdf, normalPdf } from './normal.ts'

const file = join(import.meta.dirname, '../../tests/fixtures/quant/normal.json')
const rows = JSON.parse(readFileSync(file, 'utf8')) as [number, number, number, number][]

describe('the normal distribution', () => {
  it('agrees with 60-digit figures to the last places', () => {
    for (const [x, scaled, complement, distribution] of rows) {
      expect(Math.abs(erfcx(x) / scaled - 1)).toBeLessThan(1e-15)
      expect(Math.abs(erfc(x) / complement - 1)).toBeLessThan(1e-15)
      // The rounding of x / sqrt 2 alone costs x^2 units of the last place in the far tail.
      expect(Math.abs(normalCdf(x) / distribution - 1)).toBeLessThan(1e-15 + 2.3e-16 * x * x)
    }
  })

  it('is symmetric, bounded and rising', () => {
    const x = fc.double({ min: -30, max: 30, noNaN: true })
    fc.assert(
      fc.property(x, x, (a, b) => {
        expect(Math.abs(normalCdf(a) + normalCdf(-a) - 1)).toBeLessThan(3e-16)
        expect(normalPdf(a)).toBe(normalPdf(-a))
        expect(normalCdf(Math.min(a, b))).toBeLessThanOrEqual(normalCdf(Math.max(a, b)) * (1 + 1e-14))
      }),
    )
  })

  it('passes NaN on', () => {
    expect([erfc(NaN), erfcx(NaN), normalCdf(NaN), normalPdf(NaN)]).toEqual([NaN, NaN, NaN, NaN])
  })
})

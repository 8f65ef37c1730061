import { describe, expect, it } from 'vitest'
import { randomFrom } from '../../../tests/fixtures/quant/random.ts'
import { black76Price } from '../black76.ts'
import { block } from './block.ts'
import { nearBox, wideBox } from './lognormal-polynomials.ts'
import { reduceBlock } from './reduce.ts'
import { refineBlock, scaleBlock } from './refine.ts'
import { seedBlock } from './seed.ts'

/** Seeds one quote of forward 100 and total volatility s; returns how far off the seed is, and whether one step was enough. */
function seedOf(strike: number, s: number): { readonly error: number; readonly isEnough: boolean } {
  const right = strike < 100 ? 2 : 1
  const quotes = {
    count: 1,
    price: Float64Array.of(black76Price(100, strike, 1, 1, s, right)),
    strike: Float64Array.of(strike),
    right: Int8Array.of(right),
  }
  const out = { iv: new Float64Array(1), ivCode: new Uint8Array(1) }
  expect(reduceBlock(quotes, { spot: 100, forward: 100, discount: 1, yearsToExpiry: 1 }, out, 0)).toBe(1)
  seedBlock(1)
  const error = Math.abs((block.s[0] ?? NaN) / s - 1)
  scaleBlock(1)
  return { error, isEnough: refineBlock(1) === 0 }
}

describe('the seed', () => {
  it('is so near that one step is enough, for all that is usually quoted', () => {
    const random = randomFrom(4)
    for (const [{ highestX2 }, lowest, highest, tolerance] of [
      [nearBox, 0.001, 1.4, 3e-5],
      [wideBox, 1.5, 2.4, 1.5e-4],
    ] as const) {
      for (let i = 0; i < 3000; i++) {
        const s = lowest + (highest - lowest) * random()
        // Prices down to 1e-7 of the forward.
        const x = Math.min(Math.sqrt(highestX2), 5 * s) * (2 * random() - 1)
        const { error, isEnough } = seedOf(100 * Math.exp(0.999 * x), s)
        expect(error).toBeLessThan(tolerance)
        expect(isEnough).toBe(true)
      }
    }
  })
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sizedTest } from '../../tests/support/size.ts'
import { exactly, Precise, preciseErfc, preciseErfcx, preciseNormalCdf, preciseOtmPrice } from './high-precision.ts'

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../tests/fixtures/quant/${name}.json`, import.meta.url), 'utf8'))

/** How many digits two figures share. */
const digits = (a: Precise, b: Precise): number => -a.div(b).minus(1).abs().log(10).toNumber()

describe('the reference at 60 digits', () => {
  it('agrees with the figures of mpmath to all digits of a double', () => {
    for (const [x, scaled, complement, distribution] of fixture('normal') as [number, number, number, number][]) {
      const at = exactly(x)
      expect([preciseErfcx(at), preciseErfc(at), preciseNormalCdf(at)].map(Number)).toEqual([
        scaled,
        complement,
        distribution,
      ])
    }
  })

  it('prices the volatilities of mpmath at their prices', () => {
    // Each price takes 60-digit series: 700 of them took longer than the limit of a test on a busy machine.
    const step = sizedTest(7, 1)
    const rows = (fixture('iv_corners') as number[][]).filter((_, i) => i % step === 0)
    expect(rows.length).toBeGreaterThanOrEqual(100)
    for (const [forward, strike, price, total, conditioning] of rows) {
      const { price: exact, vega } = preciseOtmPrice(exactly(forward ?? 0), exactly(strike ?? 0), exactly(total ?? 0))
      const error = exact.minus(exactly(price ?? 0)).div(vega.times(total ?? 0))
      // The volatility is given as a double.
      expect(error.abs().toNumber()).toBeLessThan(1.2e-16 + 0.01 * (conditioning ?? 0))
    }
  })

  it('has 60 digits by its own account: its formulas meet, and are each other’s mirror image', () => {
    // 2 is where one formula ends and the next begins, 4 pi where the pole does.
    for (const border of ['2', '12.566370614359172953850573533118011536788677597500423']) {
      const below = preciseErfcx(new Precise(border).minus('1e-66'))
      expect(digits(below, preciseErfcx(new Precise(border).plus('1e-66')))).toBeGreaterThan(60)
    }
    for (const x of ['0.3', '1.7', '2.5', '9', '20']) {
      const at = new Precise(x)
      const sum = preciseErfc(at).plus(preciseErfc(at.neg()))
      expect(digits(sum, new Precise(2))).toBeGreaterThan(60)
    }
    // The first digits by Abramowitz and Stegun, table 7.1.
    expect(preciseErfc(new Precise(2)).toFixed(20)).toBe('0.00467773498104726584')
  })

  it('takes a double for what it is, not for its shortest decimal', () => {
    expect(exactly(0.1).toString()).toBe('0.1000000000000000055511151231257827021181583404541015625')
    expect(exactly(-3).toString()).toBe('-3')
    expect(
      exactly(2 ** -1074)
        .log(2)
        .toNumber(),
    ).toBe(-1074)
    expect(exactly(Number.MAX_VALUE).toNumber()).toBe(Number.MAX_VALUE)
    expect(exactly(1e-280).toNumber()).toBe(1e-280)
  })
})

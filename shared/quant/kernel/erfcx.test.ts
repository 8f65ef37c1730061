import { describe, expect, it } from 'vitest'
import { exactly, preciseErfcx } from '../../../scripts/quant-tables/high-precision.ts'
import { randomFrom } from '../../../tests/fixtures/quant/random.ts'
import { tableErfcx } from './erfcx.ts'

describe('the table of erfcx', () => {
  it('is right to two units in the last place in every interval', () => {
    const random = randomFrom(3)
    for (let i = 14; i < 128; i++) {
      for (const share of [1e-12, random(), 1 - 1e-12]) {
        const x = 512 / (i + share) - 6
        const exact = preciseErfcx(exactly(x))
        expect(Math.abs(exactly(tableErfcx(x)).div(exact).minus(1).toNumber())).toBeLessThan(4.5e-16)
      }
    }
  })
})

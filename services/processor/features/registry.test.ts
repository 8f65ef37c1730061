import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atScale, atStoredScale, chainRegistry, expiryRegistry } from './registry.ts'

describe('the stored scale', () => {
  it('rounds to decimals and turns what is no finite number into null', () => {
    expect(atScale(0.2355724, 6)).toBe(0.235572)
    expect(atScale(-459_410_648.4, 0)).toBe(-459_410_648)
    expect([NaN, Infinity, -Infinity, null].map((value) => atScale(value, 4))).toEqual([null, null, null, null])
    expect(Object.is(atScale(-1e-9, 4), 0)).toBe(true)
  })

  it('is a fixed point: rounding twice changes nothing', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.integer({ min: 0, max: 6 }),
        (value, decimals) => {
          const once = atScale(value, decimals)
          expect(atScale(once, decimals)).toBe(once)
        },
      ),
    )
  })

  it('names unit, decimals and formula of every numeric feature', () => {
    for (const spec of [...Object.values(expiryRegistry), ...Object.values(chainRegistry)]) {
      expect(spec.unit).not.toBe('')
      expect(spec.formula).not.toBe('')
      expect(spec.decimals).toBeGreaterThanOrEqual(0)
    }
  })

  it('leaves text as it is', () => {
    const figures = { root: 'XYZ', forwardSource: 'parity', forward: 100.123456 } as never
    expect(atStoredScale(figures, expiryRegistry)).toMatchObject({
      root: 'XYZ',
      forwardSource: 'parity',
      forward: 100.1235,
    })
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chainFeatureSpecs, expiryFeatureSpecs } from '../../../shared/model/feature-registry.ts'
import { atScale, atStoredScale, byName } from './stored-scale.ts'

describe('the stored scale', () => {
  it('rounds to decimals and turns what is no finite number into null', () => {
    expect(atScale(0.2355724, 6)).toBe(0.235572)
    expect(atScale(-459_410_648.4, 0)).toBe(-459_410_648)
    expect([NaN, Infinity, -Infinity].map((value) => atScale(value, 4))).toEqual([NaN, NaN, NaN])
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

  it('names unit, formula and minimum of every feature, and no column twice', () => {
    for (const specs of [expiryFeatureSpecs, chainFeatureSpecs]) {
      const all = Object.values(specs)
      expect(new Set(all.map(({ column }) => column)).size).toBe(all.length)
      for (const { unit, formula, minimum, decimals } of all) {
        expect([unit, formula, minimum]).not.toContain('')
        expect(decimals).toBeGreaterThanOrEqual(0)
      }
    }
  })

  it('names for every aggregate the columns that count its inputs', () => {
    for (const specs of [expiryFeatureSpecs, chainFeatureSpecs]) {
      const columns = new Set<string>(Object.values(specs).map(({ column }) => column))
      const named = Object.values(specs).flatMap(({ counts }) => (counts === null ? [] : Object.values(counts)))
      expect(named.filter((column: string) => !columns.has(column))).toEqual([])
    }
  })

  it('leaves out what the registry does not name', () => {
    const specs = { forward: expiryFeatureSpecs.forward }
    expect(atStoredScale(specs)({ forward: 100.123456, root: 'XYZ' } as never)).toEqual(Float64Array.of(100.1235))
  })

  it('has names for the figures, and null for what is missing', () => {
    const specs = { forward: expiryFeatureSpecs.forward, atmIv: expiryFeatureSpecs.atmIv }
    expect(byName(specs, Float64Array.of(100, NaN))).toEqual({ forward: 100, atmIv: null })
  })
})

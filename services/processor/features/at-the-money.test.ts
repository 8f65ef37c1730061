import { describe, expect, it } from 'vitest'
import { ivCodes } from '../../../shared/model/features.ts'
import { writtenExpiry } from '../../../tests/fixtures/quant/solved-expiry.ts'
import { smileFeatures } from './smile.ts'

describe('at the money', () => {
  it('is linear in total variance between the strikes around the forward', () => {
    const share = Math.log(100 / 98) / Math.log(103 / 98)
    const atm = smileFeatures(
      writtenExpiry([
        [98, 0.3, -0.4, 0.05, 0.1],
        [103, 0.2, 0.4],
      ]),
    )
    expect(atm.atmIv).toBeCloseTo(Math.sqrt(0.09 + share * (0.04 - 0.09)), 14)
  })

  it('has the bias and the half spread of the strike nearest the forward', () => {
    const below = smileFeatures(
      writtenExpiry([
        [98, 0.3, -0.4, 0.06, 0.1],
        [103, 0.2, 0.4, 0.5, 0.1],
      ]),
    )
    expect(below.atmIvBiasVp).toBe(0.098)
    expect(below.atmHalfSpreadVp).toBeCloseTo(0.6, 14)
    const above = smileFeatures(
      writtenExpiry([
        [97, 0.3, -0.4],
        [101, 0.2, 0.4, 0.5, 0.2],
      ]),
    )
    expect(above.atmIvBiasVp).toBe(0.101)
    expect(above.atmHalfSpreadVp).toBeCloseTo(2.5, 14)
    const tie = smileFeatures(
      writtenExpiry([
        [98, 0.3, -0.4, 0.06, 0.1],
        [102, 0.2, 0.4, 0.5, 0.2],
      ]),
    )
    expect(tie.atmIvBiasVp).toBe(0.098)
  })

  it('has no half spread where the vega is too small to measure it by', () => {
    const atm = (vega: number) => smileFeatures(writtenExpiry([[100, 0.2, 0.5, 0.1, vega]])).atmHalfSpreadVp
    expect(atm(0)).toBeNaN()
    expect(atm(5e-324)).toBeNaN()
    expect(atm(0.05)).toBe(2)
  })

  it('passes over a strike whose code is not ok', () => {
    const expiry = writtenExpiry([
      [98, 0.3, -0.4],
      [99.9, 0.9, -0.45],
      [103, 0.2, 0.4],
    ])
    expiry.strikes.ivCode[1] = ivCodes.crossed
    const without = writtenExpiry([
      [98, 0.3, -0.4],
      [103, 0.2, 0.4],
    ])
    expect(smileFeatures(expiry)).toEqual(smileFeatures(without))
  })

  it('needs a strike on either side', () => {
    expect(smileFeatures(writtenExpiry([[98, 0.3, -0.4]]))).toMatchObject({ atmIv: NaN, atmIvBiasVp: NaN, bf25: NaN })
    expect(smileFeatures(writtenExpiry([[103, 0.3, 0.4]]))).toMatchObject({ atmIv: NaN, atmHalfSpreadVp: NaN })
    expect(smileFeatures(writtenExpiry([]))).toMatchObject({ atmIv: NaN, expectedMove: NaN })
    expect(smileFeatures(writtenExpiry([[100, 0.3, 0.5]])).atmIv).toBe(0.3)
  })

  it('is missing between strikes farther apart than 5 % and two standard deviations', () => {
    const gap = (years: number, low: number) =>
      smileFeatures(
        writtenExpiry(
          [
            [low, 0.2, -0.4],
            [103, 0.2, 0.4],
          ],
          { yearsToExpiry: years },
        ),
      ).atmIv
    // 15 % apart; two standard deviations are 2 x 0.2 x sqrt(T).
    expect(gap(0.25, 88.65)).toBeCloseTo(0.2, 14)
    expect(gap(0.1, 88.65)).toBeNaN()
    expect(gap(0.001, 98.5)).toBeCloseTo(0.2, 14)
    expect(gap(0.001, 97.5)).toBeNaN()
  })
})

import { describe, expect, it } from 'vitest'
import { cboeFiles, cboeSnapshot, readCboe, recordingsRoot } from '../../../tests/fixtures/quant/recorded-chain.ts'
import { contextOf, solvedExpiry } from '../../../tests/fixtures/quant/solved-expiry.ts'
import { smileFeatures } from './smile.ts'
import { termFeatures } from './term.ts'
import { varianceFeatures } from './variance.ts'

const rate = 0.037
const absent = `no recordings under ${recordingsRoot}`

/** Every live expiry of a recorded chain with its smile and variance. */
function expiriesOf(file: string) {
  const snapshot = cboeSnapshot(readCboe(file))
  const context = contextOf(snapshot)
  const { columns } = context
  const groups = new Map<string, number[]>()
  for (let row = 0; row < columns.length; row++) {
    if (!((columns.expiryAtS[row] ?? NaN) > context.marketTimeS)) continue
    const key = `${columns.roots[columns.rootIndex[row] ?? 0]} ${columns.expiryDay[row]}`
    const rows = groups.get(key) ?? []
    groups.set(key, rows)
    rows.push(row)
  }
  const expiries = [...groups.values()].map((rows) => {
    const expiry = solvedExpiry(context, Int32Array.from(rows), { rate })
    const { root, expiryDay, terms } = expiry
    const { yearsToExpiry } = terms
    return { root, expiryDay, yearsToExpiry, ...smileFeatures(expiry), ...varianceFeatures(context, expiry) }
  })
  return { expiries, chain: termFeatures(expiries, context.spot) }
}

describe('recorded IWM chains', () => {
  it('have a put skew, a variance index a little above the money and consistent expected moves', (ctx) => {
    const files = cboeFiles('IWM')
    if (files.length === 0) ctx.skip(absent)
    for (const file of files) {
      const { expiries, chain } = expiriesOf(file)
      const liquid = expiries.filter((expiry) => expiry.yearsToExpiry > 7 / 365 && expiry.atmHalfSpreadVp < 0.2)
      expect(liquid.length).toBeGreaterThan(5)
      for (const { rr25, bf25, rr10, skewSlope, smirk, straddle, expectedMove, atmIv, varianceIndex } of liquid) {
        expect(rr25).toBeLessThan(-0.02)
        expect(rr10).not.toBeGreaterThan(rr25)
        expect(Math.abs(bf25)).toBeLessThan(0.02)
        expect(skewSlope).toBeLessThan(-0.05)
        expect(smirk).not.toBeLessThan(0.005)
        expect(Math.abs(straddle / expectedMove - Math.sqrt(2 / Math.PI))).toBeLessThan(0.03)
        expect(Math.sqrt(varianceIndex) / atmIv).toBeGreaterThan(1)
        expect(Math.sqrt(varianceIndex) / atmIv).toBeLessThan(1.25)
      }
      expect(chain.varianceIndex30d / chain.atmIv30d).toBeGreaterThan(1)
      expect(chain.varianceIndex30d / chain.atmIv30d).toBeLessThan(1.2)
      // At mids: one far expiry quoted 3 vol points wide falls in one file.
      expect(chain.negativeForwardVariance).toBeLessThanOrEqual(1)
    }
    const { chain } = expiriesOf(files.at(-1) ?? '')
    process.stdout.write(`IWM ${JSON.stringify(chain)}\n`)
  })
})

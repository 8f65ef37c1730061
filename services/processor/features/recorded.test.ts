import { describe, expect, it } from 'vitest'
import { ivCodes } from '../../../shared/model/features.ts'
import type { Snapshot } from '../../../shared/model/snapshot.ts'
import { maxPain } from '../../../shared/quant/max-pain.ts'
import { cboeFiles, cboeSnapshot, readCboe, recordingsRoot } from '../../../tests/fixtures/quant/recorded-chain.ts'
import { reordered } from '../../../tests/fixtures/quant/chain-builder.ts'
import { computeChain } from './compute-chain.ts'
import { sumPositions } from './positioning.ts'
import { flatParams } from '../../../tests/fixtures/quant/parameters.ts'

const params = flatParams(0.037)
const weekS = 7 * 86_400
const absent = `no recordings under ${recordingsRoot}`

/** |ours - Cboe's| in vol points of out-of-the-money contracts beyond a week and within 10 % of the forward. */
function volatilityGaps(snapshot: Snapshot): number[] {
  const { columns, meta } = snapshot
  const { contracts, expiries } = computeChain(snapshot, params)
  const forwards = new Map(expiries.map(({ root, expiryDay, forward }) => [`${root} ${expiryDay}`, forward ?? NaN]))
  const gaps: number[] = []
  for (let i = 0; i < columns.length; i++) {
    const forward = forwards.get(`${columns.roots[columns.rootIndex[i] ?? 0]} ${columns.expiryDay[i]}`) ?? NaN
    const left = (columns.expiryAtS[i] ?? NaN) - meta.marketTimeMs / 1000
    const gap = 100 * Math.abs((contracts.iv[i] ?? NaN) - (columns.providerIv[i] ?? NaN))
    const isNear = Math.abs(Math.log((columns.strike[i] ?? NaN) / forward)) < 0.1
    if (contracts.ivCode[i] === ivCodes.ok && left > weekS && isNear && !Number.isNaN(gap)) gaps.push(gap)
  }
  return gaps
}

const quantile = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? NaN

describe('recorded Cboe chains', () => {
  it("have the recorder's own put/call ratio and max pain in all 237 files", (ctx) => {
    const files = cboeFiles()
    if (files.length === 0) ctx.skip(absent)
    const different: string[] = []
    for (const file of files) {
      const recording = readCboe(file)
      const { columns } = cboeSnapshot(recording)
      // The recorder pools every listed row, expired ones included.
      const rows = Int32Array.from({ length: columns.length }, (_, i) => i)
      const { calls, puts } = sumPositions({ columns, multiplier: 100, sessionStartS: -Infinity }, rows)
      const pcrOi = Math.round((1000 * puts.openInterest) / calls.openInterest) / 1000
      if (pcrOi !== recording.pcr_oi) different.push(`${file}: pcr_oi`)
      if (maxPain({ ...columns, count: columns.length }) !== recording.walls.max_pain)
        different.push(`${file}: max_pain`)
    }
    expect(files).toHaveLength(237)
    expect(different).toEqual([])
  }, 60_000)

  it.for(['IWM', 'TLT'])("have our volatility within 0.2 points of Cboe's in the median of %s", (underlying, ctx) => {
    const files = cboeFiles(underlying)
    if (files.length === 0) ctx.skip(absent)
    const gaps = files.flatMap((file) => volatilityGaps(cboeSnapshot(readCboe(file)))).sort((a, b) => a - b)
    const [median, p99] = [quantile(gaps, 0.5), quantile(gaps, 0.99)]
    process.stdout.write(
      `${underlying}: n ${gaps.length}, median ${median.toFixed(3)}, p99 ${p99.toFixed(3)} vol points\n`,
    )
    expect(median).toBeLessThan(0.15)
    expect(p99).toBeLessThan(1.2)
  })

  it('leave no live out-of-the-money two-sided quote without a volatility', (ctx) => {
    const files = cboeFiles('IWM')
    if (files.length === 0) ctx.skip(absent)
    const known = new Set<number>([ivCodes.ok, ivCodes.itm_twin, ivCodes.no_bid, ivCodes.expired])
    for (const file of files) {
      const snapshot = cboeSnapshot(readCboe(file))
      const { contracts, expiries, chain } = computeChain(snapshot, params)
      expect([...contracts.ivCode].filter((code) => !known.has(code))).toEqual([])
      expect(chain?.quality).toBeGreaterThan(50)
      // An expiry listed that morning has no quotes yet; every other one has its forward from parity.
      expect(expiries.filter(({ forwardSource, nUsed }) => (forwardSource === 'parity') !== (nUsed ?? 0) > 0)).toEqual(
        [],
      )
    }
  })

  it('give the same bits in any order of contracts', (ctx) => {
    const [file] = cboeFiles('IWM')
    if (!file) ctx.skip(absent)
    const snapshot = cboeSnapshot(readCboe(file ?? ''))
    const { length } = snapshot.columns
    const straight = computeChain(snapshot, params)
    // 7,919 is prime, so the stride visits every row once.
    const order = Array.from({ length }, (_, i) => (i * 7919) % length)
    const mixed = computeChain(reordered(snapshot, order), params)
    expect(new Set(order).size).toBe(length)
    expect(mixed.expiries).toEqual(straight.expiries)
    expect(mixed.chain).toEqual(straight.chain)
    for (const name of ['iv', 'delta', 'gamma', 'theta', 'vega'] as const) {
      expect(mixed.contracts[name].every((value, i) => Object.is(value, straight.contracts[name][order[i] ?? 0]))).toBe(
        true,
      )
    }
  })
})

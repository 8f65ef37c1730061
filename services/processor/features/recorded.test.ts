import { describe, expect, it } from 'vitest'
import { computeNamedChain } from '../../../tests/fixtures/quant/computed-chain.ts'
import { ivCodes } from '../../../shared/model/features.ts'
import { rights, type Snapshot } from '../../../shared/model/snapshot.ts'
import { maxPain } from '../../../shared/quant/max-pain.ts'
import { cboeFiles, cboeSnapshot, readCboe, recordingsRoot } from '../../../tests/fixtures/quant/recorded-chain.ts'
import { reordered } from '../../../tests/fixtures/quant/chain-builder.ts'
import { sumPositions } from './positioning.ts'
import { flatParams } from '../../../tests/fixtures/quant/parameters.ts'

const params = flatParams(0.037)
const weekS = 7 * 86_400
const absent = `no recordings under ${recordingsRoot}`

/** The contract is two-sided and out of the money against its expiry's forward. */
interface OtmQuote {
  readonly code: number
  readonly leftS: number
  /** |ours - Cboe's| in vol points; NaN without either. */
  readonly gapVp: number
  readonly halfSpreadVp: number
}

/** Every two-sided out-of-the-money quote of a recording. */
function otmQuotes({ columns, meta }: Snapshot): OtmQuote[] {
  const { contracts, expiries } = computeNamedChain({ columns, meta }, params)
  const forwards = new Map(expiries.map(({ root, expiryDay, forward }) => [`${root} ${expiryDay}`, forward ?? NaN]))
  const quotes: OtmQuote[] = []
  for (let i = 0; i < columns.length; i++) {
    const [bid, ask, strike] = [columns.bid[i] ?? NaN, columns.ask[i] ?? NaN, columns.strike[i] ?? NaN]
    const forward = forwards.get(`${columns.roots[columns.rootIndex[i] ?? 0]} ${columns.expiryDay[i]}`)
    const isInTheMoney = columns.right[i] === rights.call ? strike < (forward ?? 0) : strike >= (forward ?? Infinity)
    if (!(bid > 0 && ask >= bid) || isInTheMoney) continue
    quotes.push({
      code: contracts.ivCode[i] ?? NaN,
      leftS: (columns.expiryAtS[i] ?? NaN) - meta.marketTimeMs / 1000,
      gapVp: 100 * Math.abs((contracts.iv[i] ?? NaN) - (columns.providerIv[i] ?? NaN)),
      halfSpreadVp: (0.5 * (ask - bid)) / (contracts.vega[i] ?? NaN),
    })
  }
  return quotes
}

const quotesOf = (files: readonly string[]) => files.flatMap((file) => otmQuotes(cboeSnapshot(readCboe(file))))
const comparable = ({ code, leftS, gapVp }: OtmQuote) => code === ivCodes.ok && leftS > weekS && !Number.isNaN(gapVp)

function printed(underlying: string, gaps: readonly number[]): string {
  const at = (share: number) => quantile(gaps, share).toFixed(3)
  return `${underlying}: n ${gaps.length}, median ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)} vol points from Cboe's`
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

  it.for(['IWM', 'TLT'])("have our volatility within 0.15 points of Cboe's in the median of %s", (underlying, ctx) => {
    const files = cboeFiles(underlying)
    if (files.length === 0) ctx.skip(absent)
    const gaps = quotesOf(files)
      .filter(comparable)
      .map(({ gapVp }) => gapVp)
      .sort((a, b) => a - b)
    process.stdout.write(`${printed(underlying, gaps)}\n`)
    expect(quantile(gaps, 0.5)).toBeLessThanOrEqual(0.15)
    expect(quantile(gaps, 0.99)).toBeLessThanOrEqual(1.2)
  })

  it.for(['COPX', 'UNG', 'SHY'])(
    "have 95 % of %s within 1.2 points of Cboe's or half its spread",
    { timeout: 60_000 },
    (underlying, ctx) => {
      const files = cboeFiles(underlying)
      if (files.length === 0) ctx.skip(absent)
      const quotes = quotesOf(files).filter(comparable)
      const gaps = quotes.map(({ gapVp }) => gapVp).sort((a, b) => a - b)
      const within = quotes.filter(({ gapVp, halfSpreadVp }) => gapVp <= Math.max(1.2, halfSpreadVp)).length
      const share = (100 * within) / quotes.length
      process.stdout.write(`${printed(underlying, gaps)}, ${share.toFixed(2)} % within 1.2 or half the spread\n`)
      expect(share).toBeGreaterThanOrEqual(95)
    },
  )

  it.for(['IWM', 'TLT', 'COPX', 'UNG', 'SHY'])(
    'give every two-sided out-of-the-money quote of %s a volatility or the reason',
    { timeout: 60_000 },
    (underlying, ctx) => {
      const files = cboeFiles(underlying)
      if (files.length === 0) ctx.skip(absent)
      const counts = new Map<string, number>()
      for (const { code } of quotesOf(files)) {
        const name = Object.entries(ivCodes).find(([, number]) => number === code)?.[0] ?? 'unknown'
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
      process.stdout.write(`${underlying}: ${JSON.stringify(Object.fromEntries(counts))}\n`)
      const reasons = ['ok', 'below_intrinsic', 'expired', 'below_time_floor', 'no_forward']
      expect([...counts.keys()].filter((name) => !reasons.includes(name))).toEqual([])
    },
  )

  it('leave no live out-of-the-money two-sided quote without a volatility', (ctx) => {
    const files = cboeFiles('IWM')
    if (files.length === 0) ctx.skip(absent)
    const known = new Set<number>([ivCodes.ok, ivCodes.itm_twin, ivCodes.no_bid, ivCodes.expired])
    for (const file of files) {
      const snapshot = cboeSnapshot(readCboe(file))
      const { contracts, expiries, chain } = computeNamedChain(snapshot, params)
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
    const straight = computeNamedChain(snapshot, params)
    // 7,919 is prime, so the stride visits every row once.
    const order = Array.from({ length }, (_, i) => (i * 7919) % length)
    const mixed = computeNamedChain(reordered(snapshot, order), params)
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

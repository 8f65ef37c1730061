import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordingsRoot } from '../../tests/fixtures/quant/recorded-chain.ts'
import { black76Price } from './black76.ts'
import {
  thirtyDayVolatility,
  varianceIndex,
  type VarianceQuotes,
  varianceStrip,
  type VarianceTerms,
  widthAt,
} from './variance-index.ts'

const quotesFile = join(recordingsRoot, 'reference/quant_vix_cboe_quotes.csv')
const contributionsFile = join(recordingsRoot, 'reference/quant_vix_cboe_contributions.csv')
const absent = `no ${quotesFile}`

/** Strike, call bid, call ask, put bid, put ask. */
type QuoteRow = readonly [number, number, number, number, number]

function quotesOf(rows: readonly QuoteRow[]): VarianceQuotes {
  const column = (at: 0 | 1 | 2 | 3 | 4) => Float64Array.from(rows, (row) => row[at])
  const [strike, callBid, callAsk, putBid, putAsk] = [column(0), column(1), column(2), column(3), column(4)]
  return { count: rows.length, strike, callBid, callAsk, putBid, putAsk }
}

function cellsOf(file: string, term: string): string[][] {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => line.split(',')).filter(([first]) => first === term)
}

/** Cboe's forward: K + e^(RT) (C - P) at the strike where the mids differ least. */
function forwardOfOneStrike({ count, strike, callBid, callAsk, putBid, putAsk }: VarianceQuotes, discount: number) {
  let smallest = Infinity
  let forward = NaN
  for (let i = 0; i < count; i++) {
    const gap = ((callBid[i] ?? NaN) + (callAsk[i] ?? NaN) - (putBid[i] ?? NaN) - (putAsk[i] ?? NaN)) / 2
    if (!(Math.abs(gap) < smallest)) continue
    smallest = Math.abs(gap)
    forward = (strike[i] ?? NaN) + gap / discount
  }
  return forward
}

const cboeTerms = { near: { minutes: 34_484, rate: 0.00031664 }, next: { minutes: 44_954, rate: 0.00028797 } }

function cboeExample(term: 'near' | 'next') {
  const quotes = quotesOf(cellsOf(quotesFile, term).map((cells) => cells.slice(1).map(Number) as unknown as QuoteRow))
  const { minutes, rate } = cboeTerms[term]
  const yearsToExpiry = minutes / 525_600
  const discount = Math.exp(-rate * yearsToExpiry)
  return { quotes, terms: { forward: forwardOfOneStrike(quotes, discount), discount, yearsToExpiry } }
}

describe("Cboe's worked example", () => {
  it.for([
    ['near', 1962.89996, 0.019233906, 146],
    ['next', 1962.40006, 0.019423884, 122],
  ] as const)('has the published variance of the %s term', ([term, forward, variance, strikes], ctx) => {
    if (!existsSync(quotesFile)) ctx.skip(absent)
    const { quotes, terms } = cboeExample(term)
    const index = varianceIndex(quotes, terms)
    expect(terms.forward).toBeCloseTo(forward, 5)
    expect(Math.abs(index.variance - variance)).toBeLessThanOrEqual(5e-10)
    expect(index).toMatchObject({ nUsed: strikes, nTotal: quotes.count, isComplete: true })
  })

  it('has the published index', (ctx) => {
    if (!existsSync(quotesFile)) ctx.skip(absent)
    const [near, next] = (['near', 'next'] as const).map((term) => {
      const { quotes, terms } = cboeExample(term)
      return { variance: varianceIndex(quotes, terms).variance, yearsToExpiry: terms.yearsToExpiry }
    })
    const volatility = thirtyDayVolatility(near ?? never(), next ?? never())
    process.stdout.write(`Cboe example: ${near?.variance} ${next?.variance} ${volatility}\n`)
    expect(Math.abs(volatility - 0.13927842)).toBeLessThanOrEqual(5e-9)
  })

  it.for(['near', 'next'] as const)('has the published strikes, mids, widths and parts of the %s term', (term, ctx) => {
    if (!existsSync(quotesFile)) ctx.skip(absent)
    const { quotes, terms } = cboeExample(term)
    const { count, strike, price } = varianceStrip(quotes, terms.forward)
    const ours = Array.from({ length: count }, (_, i) => {
      const [k, mid, width] = [strike[i] ?? NaN, price[i] ?? NaN, widthAt(strike, count, i)]
      return [k, Number(mid.toFixed(6)), width, ((width / (k * k)) * mid) / terms.discount]
    })
    const theirs = cellsOf(contributionsFile, term).map((cells) => [1, 3, 4, 5].map((at) => Number(cells[at])))
    expect(ours.map((row) => row.slice(0, 3))).toEqual(theirs.map((row) => row.slice(0, 3)))
    for (const [i, row] of ours.entries()) {
      expect(Math.abs((row[3] ?? NaN) - (theirs[i]?.[3] ?? NaN))).toBeLessThanOrEqual(0.51e-10)
    }
  })
})

function never(): never {
  throw new Error('a term is missing')
}

/** K0 = 100; two puts and two calls beside it, then two zero bids on either side. */
const board: readonly QuoteRow[] = [
  [70, 30, 31, 0, 0.1],
  [80, 20, 21, 0, 0.1],
  [85, 15, 16, 0.4, 0.6],
  [95, 6, 7, 1.9, 2.1],
  [100, 3.4, 3.6, 2.4, 2.6],
  [105, 1.4, 1.6, 6, 7],
  [120, 0.2, 0.4, 20, 21],
  [125, 0, 0.1, 24, 26],
  [130, 0, 0.1, 29, 31],
]
const terms: VarianceTerms = { forward: 101, discount: 0.99, yearsToExpiry: 0.1 }
const computed = (rows: readonly QuoteRow[]) => varianceIndex(quotesOf(rows), terms)
const without = (...strikes: number[]) => board.filter(([strike]) => !strikes.includes(strike))
const withRow = (row: QuoteRow) => [...without(row[0]), row].sort(([a], [b]) => a - b)

describe('the variance of a small board worked by hand', () => {
  // dK: 10 at the end, (100-85)/2, (105-95)/2, (120-100)/2, 15 at the end.
  const sum =
    (10 / 85 ** 2) * 0.5 + (7.5 / 95 ** 2) * 2 + (5 / 100 ** 2) * 3 + (10 / 105 ** 2) * 1.5 + (15 / 120 ** 2) * 0.3
  const byHand = (2 / 0.1 / 0.99) * sum - 0.01 ** 2 / 0.1

  it('has the sum of its strikes', () => {
    const index = computed(board)
    expect(index.variance).toBeCloseTo(byHand, 14)
    expect(index).toMatchObject({ isComplete: true, nUsed: 5, nTotal: 9, quality: 100 })
  })

  it('takes both legs at K0', () => {
    const changed = computed(withRow([100, 3.4, 3.6, 2.6, 2.8]))
    expect(changed.variance - byHand).toBeCloseTo(((2 / 0.1 / 0.99) * (5 / 100 ** 2) * 0.2) / 2, 14)
  })

  it('measures dK between strikes in the sum, not strikes on the board', () => {
    const padded = withRow([90, 10, 11, 0, 0.1])
    expect(computed(padded).variance).toBe(computed(board).variance)
    expect(computed(padded)).toMatchObject({ nUsed: 5, nTotal: 10, quality: (100 * 5) / 6, isComplete: true })
  })

  it('goes on past a lone zero bid', () => {
    const lone = computed(withRow([75, 25, 26, 0.1, 0.3]))
    expect(lone).toMatchObject({ nUsed: 6, quality: (100 * 6) / 7 / 2, isComplete: false })
    expect(lone.variance).toBeGreaterThan(byHand)
  })

  it('stops for good after two zero bids', () => {
    const beyond = withRow([60, 40, 41, 0.2, 0.4])
    expect(computed(beyond).variance).toBe(computed(board).variance)
    expect(computed(beyond).isComplete).toBe(true)
  })

  it('is incomplete where quotes run out before the bids', () => {
    expect(computed(without(70))).toMatchObject({ isComplete: false, quality: 50, nUsed: 5 })
    expect(computed(without(70, 130))).toMatchObject({ isComplete: false, quality: 50 })
    const unquoted = board.map((row): QuoteRow => (row[0] < 85 ? [row[0], row[1], row[2], 0, 0] : row))
    expect(computed(unquoted)).toMatchObject({ isComplete: false, quality: (100 * 5) / 7 / 2, nUsed: 5 })
    const missing = board.map((row): QuoteRow => (row[0] < 85 ? [row[0], row[1], row[2], NaN, NaN] : row))
    expect(computed(missing)).toMatchObject({ isComplete: false, quality: (100 * 5) / 7 / 2, nUsed: 5 })
  })

  it('takes a missing bid below an ask for a zero bid', () => {
    const missing = board.map((row): QuoteRow => (row[0] < 85 ? [row[0], row[1], row[2], NaN, row[4]] : row))
    expect(computed(missing)).toEqual(computed(board))
  })

  it('leaves a crossed quote out, and does not let it come between two zero bids', () => {
    expect(computed(withRow([90, 10, 11, 1.5, 1.2])).variance).toBe(computed(board).variance)
    const between = [...withRow([75, 25, 26, 0.3, 0.1]), [60, 40, 41, 0.2, 0.4] as const].sort(([a], [b]) => a - b)
    expect(computed(between).variance).toBe(computed(board).variance)
  })

  it.for([
    ['missing', NaN, NaN],
    ['crossed', 0.6, 0.4],
  ] as const)('is incomplete where a %s quote lies between the last bid and the zero bids', ([, bid, ask]) => {
    const cutOff = computed(withRow([85, 15, 16, bid, ask]))
    expect(cutOff).toMatchObject({ isComplete: false, nUsed: 4, quality: (100 * 4) / 5 / 2 })
    const cutOffAbove = computed(withRow([120, bid, ask, 20, 21]))
    expect(cutOffAbove).toMatchObject({ isComplete: false, nUsed: 4, quality: (100 * 4) / 5 / 2 })
    const betweenZeroBids = computed(withRow([75, 25, 26, bid, ask]))
    expect(betweenZeroBids).toMatchObject({ isComplete: false, nUsed: 5, quality: (100 * 5) / 6 / 2 })
    const beyondTheEnd = computed(withRow([60, 40, 41, bid, ask]))
    expect(beyondTheEnd).toMatchObject({ isComplete: true, quality: 100 })
  })

  it('takes the next lower strike for K0 where one of its legs has no mid', () => {
    const index = varianceStrip(quotesOf(withRow([100, 3.4, 3.6, 2.6, 2.4])), 101)
    expect(index.k0).toBe(95)
    expect([...index.strike]).toEqual([85, 95, 100, 105, 120])
    expect(index.price[1]).toBe(0.5 * (6.5 + 2))
    expect(index.price[2]).toBe(3.5)
  })

  it('has a strike at the forward itself for K0', () => {
    expect(varianceStrip(quotesOf(board), 100).k0).toBe(100)
    expect(varianceStrip(quotesOf(board), 99.99).k0).toBe(95)
  })

  it('needs a put and a call beside K0', () => {
    for (const rows of [board.slice(4), board.slice(0, 5), [], [board[4] ?? never()]]) {
      expect(computed(rows)).toEqual({
        variance: NaN,
        isComplete: false,
        nUsed: 0,
        nTotal: rows.length,
        quality: 0,
      })
    }
  })
})

describe('holes in a flat smile of 20 % with a month left, whose standard deviation is 5.7 % of the forward', () => {
  const flat = { forward: 100, discount: 1, yearsToExpiry: 30 / 365 }
  const rows = Array.from({ length: 71 }, (_, i): QuoteRow => {
    const strike = 65 + i
    const quote = (right: number): [number, number] => {
      const price = black76Price(100, strike, 30 / 365, 1, 0.2, right)
      return price < 1e-4 ? [0, 0.01] : [price, price]
    }
    return [strike, ...quote(1), ...quote(2)]
  })
  const full = varianceIndex(quotesOf(rows), flat)
  const withoutPuts = (from: number, to: number) =>
    varianceIndex(
      quotesOf(rows.map((row): QuoteRow => (row[0] < from || row[0] > to ? row : [row[0], row[1], row[2], NaN, NaN]))),
      flat,
    )

  it('are bridged up to half of it, which costs less than 0.8 % of the variance', () => {
    expect(full).toMatchObject({ isComplete: true, quality: 100 })
    const bridged = withoutPuts(97, 97)
    expect(bridged.isComplete).toBe(true)
    expect(bridged.quality).toBeCloseTo((100 * (full.nUsed - 1)) / full.nUsed, 12)
    expect(bridged.variance / full.variance - 1).toBeGreaterThan(0)
    expect(bridged.variance / full.variance - 1).toBeLessThan(0.008)
  })

  it('leave it incomplete where they are wider', () => {
    const holed = withoutPuts(96, 97)
    expect(holed.isComplete).toBe(false)
    expect(holed.quality).toBeCloseTo((50 * (full.nUsed - 2)) / full.nUsed, 12)
  })

  it('count from K0 to the forward as well', () => {
    expect(withoutPuts(99, 100).isComplete).toBe(true)
    expect(withoutPuts(98, 100).isComplete).toBe(false)
  })
})

describe('the variance index', () => {
  it('is the variance of a flat smile on a dense and wide board', () => {
    const [sigma, years, forward, discount] = [0.3, 60 / 365, 102, 0.98]
    const rows = Array.from({ length: 1200 }, (_, i): QuoteRow => {
      const strike = 40 + 0.2 * i
      const mid = (right: number) => black76Price(forward, strike, years, discount, sigma, right)
      const [call, put] = [mid(1), mid(2)]
      const quote = (price: number): [number, number] => (price < 1e-6 ? [0, 0.01] : [price, price])
      return [strike, ...quote(call), ...quote(put)]
    })
    const index = varianceIndex(quotesOf(rows), { forward, discount, yearsToExpiry: years })
    expect(index.variance / sigma ** 2).toBeCloseTo(1, 4)
    expect(index.isComplete).toBe(true)
  })

  it('never throws on garbage, and is NaN or a positive number', () => {
    const any = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, -1, 0, 0.5, 90, 100, 110))
    const row = fc.tuple(any, any, any, any, any)
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), any, any, any, (rows, forward, discount, yearsToExpiry) => {
        const index = varianceIndex(quotesOf(rows), { forward, discount, yearsToExpiry })
        expect(Number.isNaN(index.variance) || (index.variance > 0 && index.variance < Infinity)).toBe(true)
        expect(index.quality >= 0 && index.quality <= 100 && index.nUsed <= index.nTotal).toBe(true)
      }),
    )
  })
})

describe('the 30-day combination', () => {
  const term = (days: number, volatility: number) => ({ variance: volatility ** 2, yearsToExpiry: days / 365 })

  it('is the volatility of both terms where they agree', () => {
    expect(thirtyDayVolatility(term(25, 0.2), term(32, 0.2))).toBeCloseTo(0.2, 14)
  })

  it('is linear in total variance', () => {
    const total = (25 * 0.04 * 2) / 7 + (32 * 0.09 * 5) / 7
    expect(thirtyDayVolatility(term(25, 0.2), term(32, 0.3))).toBeCloseTo(Math.sqrt(total / 30), 14)
  })

  it('is one term alone at exactly 30 days, and two terms of one instant do not divide by zero', () => {
    expect(thirtyDayVolatility(term(30, 0.2), term(37, 0.3))).toBeCloseTo(0.2, 14)
    expect(thirtyDayVolatility(term(30, 0.2), term(30, 0.3))).toBeCloseTo(0.2, 14)
  })
})

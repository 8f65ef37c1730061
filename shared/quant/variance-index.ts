import { keptColumns } from './kept-columns.ts'

/**
 * The variance of one expiry from all its out-of-the-money quotes, and its 30-day combination, by the methodology of the
 * Cboe Volatility Index ("Volatility Index Methodology: Cboe Volatility Index", steps 1 to 3).
 */

/** Quotes of one expiry by strike, ascending; NaN where a leg is not listed or not quoted. The first `count` entries are read. */
export interface VarianceQuotes {
  readonly count: number
  readonly strike: Float64Array
  readonly callBid: Float64Array
  readonly callAsk: Float64Array
  readonly putBid: Float64Array
  readonly putAsk: Float64Array
}

export interface VarianceTerms {
  readonly forward: number
  /** Present value of 1 paid at expiry. */
  readonly discount: number
  readonly yearsToExpiry: number
}

export interface VarianceIndex {
  /** Fraction^2 per year; NaN below three strikes or without a put and a call beside K0. */
  readonly variance: number
  /**
   * Both wings end by two zero bids right after the outermost strike in the sum, and no hole of missing or crossed quotes is
   * wider than half a standard deviation. A wing cut off makes the variance read low, a hole near the money too high.
   */
  readonly isComplete: boolean
  /** Strikes in the sum. */
  readonly nUsed: number
  /** Strikes listed. */
  readonly nTotal: number
  /** 100 x the share of the strikes up to the zero bids that end the wings that are in the sum, halved where not complete. */
  readonly quality: number
}

/** The strikes that are in the sum, ascending. */
export interface VarianceStrip {
  readonly count: number
  readonly strike: Float64Array
  /** Q(K): mid of the put below K0, of the call above it, the mean of both at K0. */
  readonly price: Float64Array
  /** Largest strike not above the forward whose both legs have a mid; NaN without one. */
  readonly k0: number
  readonly nPuts: number
  readonly nCalls: number
  /** Strikes listed between the zero bids that end the wings; where none do, to the end of the listing. */
  readonly nSpanned: number
  /** Distance in ln K of the strikes around missing or crossed ones, where it is largest; 0 without any. */
  readonly widestHole: number
  /** Both wings end by zero bids next to the outermost strike in the sum. */
  readonly isEnded: boolean
}

const zeroBidsThatEndAWing = 2
const roomForStrip = keptColumns('strike', 'price')
const minimumStrikes = 3
/**
 * Over a hole of h standard deviations the chord lies above the convex price by at most h^3 phi(0) / 6 of the variance: 0.8 %
 * at a half.
 */
const widestHoleSigmas = 0.5

/** Returns the variance of one expiry: (2/T) sum dK/K^2 e^(RT) Q(K) - (F/K0 - 1)^2 / T. */
export function varianceIndex(quotes: VarianceQuotes, terms: VarianceTerms): VarianceIndex {
  const nTotal = quotes.count
  const { forward, discount, yearsToExpiry } = terms
  const strip = varianceStrip(quotes, forward)
  const { count, k0, nPuts, nCalls, nSpanned, widestHole, isEnded } = strip
  const offset = forward / k0 - 1
  const variance = ((2 * sumOf(strip)) / discount - offset * offset) / yearsToExpiry
  const isEnough = nPuts > 0 && nCalls > 0 && count >= minimumStrikes
  const isFounded = yearsToExpiry > 0 && discount > 0 && variance > 0 && variance < Infinity
  if (!isEnough || !isFounded) return { variance: NaN, isComplete: false, nUsed: 0, nTotal, quality: 0 }
  const isComplete = isEnded && widestHole <= widestHoleSigmas * Math.sqrt(variance * yearsToExpiry)
  const quality = ((100 * count) / nSpanned) * (isComplete ? 1 : 0.5)
  return { variance, isComplete, nUsed: count, nTotal, quality }
}

/** Sum of dK Q(K) / K^2. dK is half the distance of the neighbours in the sum, at an end the distance to the only one. */
function sumOf({ count, strike, price }: VarianceStrip): number {
  let sum = 0
  for (let i = 0; i < count; i++) {
    const k = strike[i] ?? NaN
    sum += (widthAt(strike, count, i) / (k * k)) * (price[i] ?? NaN)
  }
  return sum
}

/** dK of a strike in the sum. */
export function widthAt(strike: Float64Array, count: number, at: number): number {
  const below = at > 0 ? at - 1 : at
  const above = at < count - 1 ? at + 1 : at
  return ((strike[above] ?? NaN) - (strike[below] ?? NaN)) / (above - below)
}

/**
 * Chooses the strikes: K0, and outward from it every put below and call above that has a bid, until two strikes in a row
 * have none. A leg without a quote, or with a crossed one, says nothing: it is left out, and neither counts as a zero bid
 * nor comes between two. Beyond the last bid it leaves open where the wing ends. Good until the next call.
 */
export function varianceStrip(quotes: VarianceQuotes, forward: number): VarianceStrip {
  const { count: listed, strike: listedStrike } = quotes
  const centre = centreOf(quotes, forward)
  const k0 = listedStrike[centre] ?? NaN
  // Puts are met from K0 downward and must come ascending: they fill their half from its upper end.
  const { strike, price } = roomForStrip(listed)
  if (centre < 0) return { ...emptyStrip, strike, price }
  const puts = walk(quotes, -1, centre, strike, price)
  const calls = walk(quotes, 1, centre, strike, price)
  strike[centre] = k0
  price[centre] = 0.5 * (midOf(quotes.callBid, quotes.callAsk, centre) + midOf(quotes.putBid, quotes.putAsk, centre))
  const from = centre - puts.used
  const count = puts.used + 1 + calls.used
  return {
    count,
    strike: strike.subarray(from, from + count),
    price: price.subarray(from, from + count),
    k0,
    nPuts: puts.used,
    nCalls: calls.used,
    nSpanned: puts.spanned + 1 + calls.spanned,
    widestHole: Math.max(holeAt(quotes, centre, forward), puts.widestHole, calls.widestHole),
    isEnded: puts.isEnded && calls.isEnded,
  }
}

const emptyStrip = { count: 0, k0: NaN, nPuts: 0, nCalls: 0, nSpanned: 0, widestHole: 0, isEnded: false } as const

/** From K0 to the forward where strikes in between were passed over: -(F/K0 - 1)^2 is a series that ends at its square. */
function holeAt({ strike }: VarianceQuotes, centre: number, forward: number): number {
  return (strike[centre + 1] ?? NaN) <= forward ? Math.log(forward / (strike[centre] ?? NaN)) : 0
}

function centreOf({ count, strike, callBid, callAsk, putBid, putAsk }: VarianceQuotes, forward: number): number {
  let centre = -1
  for (let i = 0; i < count; i++) {
    const k = strike[i] ?? NaN
    if (!(k > 0 && k <= forward)) continue
    if (midOf(callBid, callAsk, i) > 0 && midOf(putBid, putAsk, i) > 0) centre = i
  }
  return centre
}

/** Mid of a two-sided, uncrossed quote, else NaN. */
function midOf(bid: Float64Array, ask: Float64Array, at: number): number {
  const b = bid[at] ?? NaN
  const a = ask[at] ?? NaN
  return b > 0 && a >= b && a < Infinity ? 0.5 * (b + a) : NaN
}

interface Wing {
  readonly used: number
  /** Strikes listed up to the outermost in the sum, and beyond it those without a quote. */
  readonly spanned: number
  readonly widestHole: number
  readonly isEnded: boolean
}

/** Walks one wing outward (`step` -1 puts, +1 calls) and writes what it includes next to the centre. */
function walk(quotes: VarianceQuotes, step: 1 | -1, centre: number, strike: Float64Array, price: Float64Array): Wing {
  const bid = step === 1 ? quotes.callBid : quotes.putBid
  const ask = step === 1 ? quotes.callAsk : quotes.putAsk
  let used = 0
  let spanned = 0
  let zeroBids = 0
  let missing = 0
  let widestHole = 0
  let last = quotes.strike[centre] ?? NaN
  for (let i = centre + step; i >= 0 && i < quotes.count && zeroBids < zeroBidsThatEndAWing; i += step) {
    const k = quotes.strike[i] ?? NaN
    const mid = midOf(bid, ask, i)
    if (mid > 0 && k > 0 && k < Infinity) {
      used++
      spanned = Math.abs(i - centre)
      strike[centre + step * used] = k
      price[centre + step * used] = mid
      if (missing > 0) widestHole = Math.max(widestHole, step * Math.log(k / last))
      last = k
      zeroBids = 0
      missing = 0
    } else if (isZeroBid(bid[i] ?? NaN, ask[i] ?? NaN)) zeroBids++
    else missing++
  }
  return {
    used,
    spanned: spanned + missing,
    widestHole,
    isEnded: zeroBids === zeroBidsThatEndAWing && missing === 0,
  }
}

/** An ask and no bid. Without either there is no quote, which is what runs out rather than the bids. */
function isZeroBid(bid: number, ask: number): boolean {
  return ask > 0 && !(bid > 0)
}

export interface VarianceTerm {
  /** Fraction^2 per year. */
  readonly variance: number
  readonly yearsToExpiry: number
}

const minutesPerYear = 525_600
const minutesPerThirtyDays = 43_200

/**
 * Returns the 30-day volatility of two terms around it, fraction per sqrt(year): T sigma^2 linear in minutes between them,
 * per year. Of a term at 30 days to the minute the other one has no weight.
 */
export function thirtyDayVolatility(near: VarianceTerm, next: VarianceTerm): number {
  const n1 = near.yearsToExpiry * minutesPerYear
  const n2 = next.yearsToExpiry * minutesPerYear
  const share = n1 === n2 ? 1 : (n2 - minutesPerThirtyDays) / (n2 - n1)
  const total = near.yearsToExpiry * near.variance * share + next.yearsToExpiry * next.variance * (1 - share)
  return Math.sqrt((total * minutesPerYear) / minutesPerThirtyDays)
}

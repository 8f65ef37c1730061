import { type ChainColumns, contractFlags } from '../../../../shared/model/snapshot.ts'
import { emptyPrice, priceStrike, type StrikePrice } from './black.ts'
import { type BookGroup, type SessionBook, spotAt, volShiftAt } from './book.ts'
import { mix } from './random.ts'
import {
  bentDeviations,
  emptyFrame,
  type ExpiryFrame,
  fillFrame,
  riskFreeRate,
  ticksAt,
  volAt,
  yearS,
} from './smile.ts'
import { stepMsOf } from './trading-time.ts'
import { fillTrades } from './trades.ts'
import type { UnderlyingProfile } from './universe.ts'

type Writable = { -readonly [Key in keyof ChainColumns]: ChainColumns[Key] }

/**
 * Returns a chain as it stands at a step. Columns that hold for the whole session are the book's own arrays: whoever wants to
 * change them has to copy. Missing (NaN) are only: quotes, IV and greeks of an expired contract, the last trade of one that
 * never traded.
 */
export function quoteChain(book: SessionBook, step: number): { readonly spot: number; readonly columns: ChainColumns } {
  const spot = spotAt(book.profile, book.path.logSpot[step] as number)
  const columns = emptyColumns(book)
  const nowS = stepMsOf(book.session, step) / 1000
  const point = { spot, logLevel: book.path.logLevel[step] as number, volShift: volShiftAt(book.events, step) }
  const writer: Writer = {
    book,
    columns,
    spot,
    frame: emptyFrame(),
    price: emptyPrice(),
    noise: mix(book.session.day, step),
  }
  for (const group of book.groups) {
    if (group.expiryAtS <= nowS) {
      fillExpired(columns, group)
    } else {
      fillFrame(writer.frame, book.profile, point, (group.expiryAtS - nowS) / yearS)
      fillQuotes(writer, group)
    }
  }
  fillTrades(book, step, columns)
  return { spot, columns }
}

function emptyColumns(book: SessionBook): Writable {
  const column = (): Float64Array => new Float64Array(book.length)
  return {
    length: book.length,
    roots: book.roots,
    rootIndex: book.rootIndex,
    expiryDay: book.expiryDay,
    expiryAtS: book.expiryAtS,
    strike: book.strike,
    right: book.right,
    bid: column(),
    ask: column(),
    bidSize: column(),
    askSize: column(),
    last: column(),
    lastTradeAtS: column(),
    volume: column(),
    openInterest: book.openInterest,
    providerIv: column(),
    providerDelta: column(),
    providerGamma: column(),
    providerTheta: column(),
    providerVega: column(),
    providerRho: column(),
    flags: new Uint16Array(book.length),
  }
}

const quoteColumns = [
  'bid',
  'ask',
  'bidSize',
  'askSize',
  'providerIv',
  'providerDelta',
  'providerGamma',
  'providerTheta',
  'providerVega',
  'providerRho',
] as const satisfies readonly (keyof ChainColumns)[]

function fillExpired(columns: Writable, { start, end }: BookGroup): void {
  for (const name of quoteColumns) columns[name].fill(NaN, start, end)
  columns.flags.fill(contractFlags.expired, start, end)
}

interface Writer {
  readonly book: SessionBook
  readonly columns: Writable
  readonly spot: number
  readonly frame: ExpiryFrame
  readonly price: StrikePrice
  readonly noise: number
}

function fillQuotes(writer: Writer, group: BookGroup): void {
  const { frame, price, columns, noise } = writer
  const { profile } = writer.book
  const key = mix(noise, profile.key)
  for (let row = group.start; row < group.end; row += 2) {
    const strike = columns.strike[row] as number
    const moneyness = Math.log(frame.forward / strike)
    const deviations = bentDeviations(frame, moneyness)
    const vol = volAt(frame, profile, deviations)
    priceStrike(price, frame, strike, moneyness, vol * frame.sqrtYears)
    const reach = 1 + 0.35 * Math.abs(deviations)
    const timeSpread = profile.relativeSpread * Math.min(price.call, price.put) * reach
    // Deep in the money the spread is that of hedging in the underlying, by delta.
    const hedgeSpread = 0.02 * profile.relativeSpread * writer.spot * reach
    const callKey = mix(key, row)
    fillQuote(columns, profile, row, price.call, timeSpread + hedgeSpread * price.nd1, callKey)
    fillQuote(columns, profile, row + 1, price.put, timeSpread + hedgeSpread * (1 - price.nd1), mix(callKey, 1))
    fillGreeks(writer, row, strike, vol)
  }
}

const nextTo = 1e-9

/** Bid and ask around a price, outward to the tick, so that the model's price always lies between them. */
function fillQuote(
  columns: Writable,
  profile: UnderlyingProfile,
  row: number,
  price: number,
  halfSpread: number,
  key: number,
): void {
  const half = halfSpread + 0.5 / ticksAt(profile, price)
  const mid = price + 0.1 * half * ((key & 0xff) / 255 - 0.5)
  const bidTicks = ticksAt(profile, mid - half)
  const askTicks = ticksAt(profile, mid + half)
  const bid = Math.max(0, Math.floor((mid - half) * bidTicks + nextTo)) / bidTicks
  columns.bid[row] = bid
  columns.ask[row] = Math.max(1, Math.ceil((mid + half) * askTicks - nextTo)) / askTicks
  const depth = 4 / profile.relativeSpread
  columns.bidSize[row] = bid > 0 ? 1 + Math.floor((((key >>> 8) & 0xff) / 256) * depth) : 0
  columns.askSize[row] = 1 + Math.floor((((key >>> 16) & 0xff) / 256) * depth)
}

/** Rounds to the four decimals a provider gives; adding 0 turns -0 into 0. */
const round4 = (value: number): number => Math.round(value * 10_000) / 10_000 + 0

function fillGreeks({ frame, price, columns, spot, book }: Writer, row: number, strike: number, vol: number): void {
  const { years, sqrtYears, discount } = frame
  const carried = (frame.forward * discount) / spot
  const discountedStrike = strike * discount
  const decay = (spot * carried * price.density * vol) / (2 * sqrtYears)
  const financing = riskFreeRate * discountedStrike
  const yielding = book.profile.dividendYield * spot * carried
  const gamma = round4((carried * price.density) / (spot * vol * sqrtYears))
  const vega = round4((spot * carried * price.density * sqrtYears) / 100)
  const iv = round4(vol)
  columns.providerIv[row] = iv
  columns.providerIv[row + 1] = iv
  columns.providerGamma[row] = gamma
  columns.providerGamma[row + 1] = gamma
  columns.providerVega[row] = vega
  columns.providerVega[row + 1] = vega
  columns.providerDelta[row] = round4(carried * price.nd1)
  columns.providerDelta[row + 1] = round4(carried * (price.nd1 - 1))
  columns.providerTheta[row] = round4((yielding * price.nd1 - decay - financing * price.nd2) / 365)
  columns.providerTheta[row + 1] = round4((financing * (1 - price.nd2) - decay - yielding * (1 - price.nd1)) / 365)
  columns.providerRho[row] = round4((years * discountedStrike * price.nd2) / 100)
  columns.providerRho[row + 1] = round4((years * discountedStrike * (price.nd2 - 1)) / 100)
}

import { createRandom, hashText, mix, type Random } from './random.ts'

/** What an underlying and its option market are like; a function of the seed and the ticker alone. */
export interface UnderlyingProfile {
  readonly ticker: string
  /** Seeds everything drawn for this underlying. */
  readonly key: number
  /** Place in the catalogue; names beyond it have a hash instead. */
  readonly ordinal: number
  /** OCC root: BRKB under BRK.B, SPXW under SPX. */
  readonly root: string
  /** Root of the AM-settled monthlies beside `root`, or null. */
  readonly amRoot: string | null
  readonly listing: 'daily' | 'weekly' | 'monthly'
  readonly basePrice: number
  /** Per sqrt(year), of the spot's path and of the 30-day at-the-money options on average. */
  readonly baseVol: number
  /** Of the spot with the market. */
  readonly correlation: number
  /** Relative change of the vol level per unit of log return, applied with a minus. */
  readonly leverage: number
  /** Relative change of vol per standard deviation of log-moneyness. */
  readonly skew: number
  readonly curvature: number
  /** Of short expiries over long ones, relative. */
  readonly termSlope: number
  readonly dividendYield: number
  /** Contracts to list, roughly: expiries come and go. */
  readonly targetContracts: number
  /** Contracts an average session trades over all strikes. */
  readonly dailyVolume: number
  /** Half spread over time value at the money. */
  readonly relativeSpread: number
  /** Ticks per dollar, below and above a price of 3. */
  readonly ticksBelow3: number
  readonly ticksAbove3: number
}

/** Ticker, spot, vol. The first 25 are the default universe: a few giants, large names, some small; awkward tickers among them. */
const catalogue: readonly (readonly [ticker: string, price: number, vol: number])[] = [
  ['SPY', 672, 0.16],
  ['SPX', 6720, 0.155],
  ['QQQ', 608, 0.2],
  ['TSLA', 412, 0.55],
  ['NVDA', 188, 0.44],
  ['IWM', 242, 0.22],
  ['AAPL', 271, 0.27],
  ['AMZN', 236, 0.32],
  ['META', 612, 0.34],
  ['MSFT', 498, 0.24],
  ['AMD', 231, 0.5],
  ['GOOGL', 282, 0.3],
  ['NFLX', 1120, 0.35],
  ['COIN', 298, 0.72],
  ['PLTR', 172, 0.6],
  ['TLT', 89, 0.12],
  ['GLD', 378, 0.19],
  ['BRK.B', 502, 0.17],
  ['XOM', 117, 0.23],
  ['JPM', 311, 0.24],
  ['UNG', 13, 0.52],
  ['F', 13.2, 0.34],
  ['BAC', 53, 0.26],
  ['DIS', 111, 0.27],
  ['GME', 22.4, 0.66],
  ['AVGO', 352, 0.45],
  ['CRM', 243, 0.33],
  ['ORCL', 222, 0.42],
  ['INTC', 38, 0.5],
  ['MU', 242, 0.55],
  ['SMCI', 37, 0.75],
  ['BABA', 159, 0.42],
  ['UBER', 93, 0.36],
  ['BA', 195, 0.33],
  ['WMT', 102, 0.2],
  ['COST', 922, 0.21],
  ['HD', 371, 0.22],
  ['V', 336, 0.2],
  ['MA', 548, 0.21],
  ['UNH', 322, 0.36],
  ['LLY', 1021, 0.34],
  ['PFE', 25, 0.25],
  ['JNJ', 196, 0.17],
  ['MRK', 93, 0.24],
  ['CVX', 155, 0.22],
  ['KO', 71, 0.15],
  ['PEP', 146, 0.18],
  ['MCD', 306, 0.18],
  ['NKE', 65, 0.33],
  ['SBUX', 86, 0.3],
  ['T', 25.6, 0.22],
  ['VZ', 41, 0.2],
  ['C', 101, 0.29],
  ['GS', 791, 0.28],
  ['WFC', 85, 0.26],
  ['MSTR', 208, 0.8],
  ['HOOD', 122, 0.7],
  ['SOFI', 27, 0.62],
  ['RIVN', 17, 0.65],
  ['BF.B', 29, 0.31],
]

const ordinals: ReadonlyMap<string, number> = new Map(catalogue.map(([ticker], index) => [ticker, index]))
const dailyListed: ReadonlySet<string> = new Set(['SPY', 'SPX', 'QQQ', 'IWM'])
const funds: ReadonlySet<string> = new Set(['SPY', 'SPX', 'QQQ', 'IWM', 'TLT', 'GLD', 'UNG'])

/** The most underlyings a universe can have. */
export const maxUnderlyings = 6000

/** Returns the first `count` tickers: well-known ones, then synthetic ones such as `ZAABC`. */
export function tickersOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => catalogue[index]?.[0] ?? syntheticTicker(index))
}

function syntheticTicker(index: number): string {
  let rest = index
  let letters = ''
  for (let i = 0; i < 4; i++) {
    letters = String.fromCharCode(65 + (rest % 26)) + letters
    rest = Math.floor(rest / 26)
  }
  return `Z${letters}`
}

/** Describes a ticker; an unknown one is made up from its name. `sizeFactor` scales the contracts it lists. */
export function profileOf(seed: number, ticker: string, sizeFactor = 1): UnderlyingProfile {
  const key = mix(seed, hashText(ticker))
  const random = createRandom(mix(key, hashText('profile')))
  const ordinal = ordinals.get(ticker)
  const known = ordinal === undefined ? undefined : catalogue[ordinal]
  const basePrice = known?.[1] ?? roundCent(clamp(45 * Math.exp(0.9 * random.normal()), 14, 900))
  const baseVol = known?.[2] ?? clamp(0.38 * Math.exp(0.4 * random.normal()), 0.12, 0.8)
  const natural = naturalContracts(ordinal, random)
  const size = { ordinal, natural, target: clamp(natural * sizeFactor, 16, largestChain) }
  const isIndex = dailyListed.has(ticker)
  const isPenny = funds.has(ticker) ? ticker !== 'SPX' : basePrice < 120
  return {
    ticker,
    key,
    ordinal: ordinal ?? hashText(ticker),
    root: ticker === 'SPX' ? 'SPXW' : ticker.replaceAll('.', ''),
    amRoot: ticker === 'SPX' ? 'SPX' : null,
    listing: isIndex ? 'daily' : known !== undefined || size.natural >= 350 ? 'weekly' : 'monthly',
    basePrice,
    baseVol,
    correlation: isIndex ? 0.97 : 0.3 + 0.4 * random.uniform(),
    leverage: Math.min(4, 0.2 / baseVol ** 2),
    skew: isIndex ? -0.1 : -0.02 - 0.06 * random.uniform(),
    curvature: 0.015 + 0.02 * random.uniform(),
    termSlope: -0.12 + 0.3 * random.uniform(),
    dividendYield: Math.max(0, 0.03 * random.uniform() - 0.008),
    targetContracts: size.target,
    dailyVolume: dailyVolumeOf(size.ordinal, size.natural),
    relativeSpread: clamp(0.06 * (200 / size.natural) ** 0.6, 0.004, 0.07),
    ticksBelow3: ticker === 'SPX' ? 20 : 100,
    ticksAbove3: ticker === 'SPX' ? 10 : isPenny ? 100 : 20,
  }
}

/** Contracts of the largest chain that is made: larger ones do not fit into one message of CHAINS. */
const largestChain = 20_000

/** What chains of these sizes have to be multiplied with, none beyond the largest, to be so many contracts together. */
export function sizeFactor(sizes: readonly number[], contractsTotal: number): number {
  const ascending = sizes.toSorted((a, b) => a - b)
  let rest = contractsTotal
  let sum = ascending.reduce((total, size) => total + size, 0)
  for (const size of ascending.toReversed()) {
    if (size * (rest / sum) <= largestChain) break
    rest -= largestChain
    sum -= size
  }
  return sum > 0 && rest > 0 ? rest / sum : Number.MAX_VALUE
}

/** Heavy-tailed: a power law over the default universe, lognormal beyond it. */
function naturalContracts(ordinal: number | undefined, random: Random): number {
  const drawn = clamp(182 * Math.exp(0.79 * random.normal()), 30, 5000)
  return ordinal !== undefined && ordinal < 25 ? 10_600 * (ordinal + 1) ** -1.3 : drawn
}

/** Volume is more concentrated than listings: SPY trades millions a day, most names a few hundred. */
function dailyVolumeOf(ordinal: number | undefined, contracts: number): number {
  const byListing = 500 * (contracts / 200) ** 2.4
  return ordinal === undefined ? Math.max(200, byListing) : 60_000 + byListing
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))
const roundCent = (value: number): number => Math.round(value * 100) / 100

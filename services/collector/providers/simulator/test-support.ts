import type { Snapshot } from '../../../../shared/model/snapshot.ts'
import { emptyPrice, priceStrike } from './black.ts'
import type { Simulator } from './simulator.ts'
import { riskFreeRate, yearS } from './smile.ts'

/** Yields the snapshots of a simulator pass by pass, all of a pass's underlyings unless some are named. */
export async function* snapshotsOf(
  simulator: Simulator,
  tickers?: readonly string[],
): AsyncGenerator<readonly Snapshot[]> {
  const { signal } = new AbortController()
  for await (const pass of simulator.passes(signal)) {
    const items = pass.items.filter(({ underlying }) => tickers?.includes(underlying) ?? true)
    const outcomes = await Promise.all(items.map((item) => item.fetch({ scanId: 'scan', signal })))
    yield outcomes.map((outcome) => {
      if (outcome.kind !== 'snapshot') throw new Error(`Expected a snapshot, was ${outcome.detail}`)
      return outcome.snapshot
    })
  }
}

export async function collect(simulator: Simulator): Promise<readonly Snapshot[]> {
  return (await Array.fromAsync(snapshotsOf(simulator))).flat()
}

export interface ExpirySlice {
  readonly start: number
  readonly end: number
  readonly years: number
}

export function expirySlices({ meta, columns }: Snapshot): readonly ExpirySlice[] {
  const slices: ExpirySlice[] = []
  for (let start = 0, end = 0; start < columns.length; start = end) {
    while (end < columns.length && sameSeries(columns, start, end)) end += 1
    slices.push({ start, end, years: ((columns.expiryAtS[start] as number) - meta.marketTimeMs / 1000) / yearS })
  }
  return slices
}

const sameSeries = ({ expiryDay, rootIndex }: Snapshot['columns'], a: number, b: number): boolean =>
  expiryDay[a] === expiryDay[b] && rootIndex[a] === rootIndex[b]

export const totalVolume = ({ columns }: Snapshot): number => columns.volume.reduce((sum, volume) => sum + volume, 0)

export const midOf = ({ bid, ask }: Snapshot['columns'], row: number): number =>
  (bid[row] as number) > 0 ? ((bid[row] as number) + (ask[row] as number)) / 2 : NaN

/** Implied vol of an undiscounted price, by bisection. */
export function impliedVol(forward: number, strike: number, years: number, price: number, isCall: boolean): number {
  const out = emptyPrice()
  let [low, high] = [0.001, 5]
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2
    priceStrike(out, { forward, discount: 1 }, strike, Math.log(forward / strike), middle * Math.sqrt(years))
    if ((isCall ? out.call : out.put) < price) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Forward by parity at the strike where call and put are closest. */
export function forwardOf({ columns }: Snapshot, { start, end, years }: ExpirySlice): number {
  let [smallest, forward] = [Infinity, NaN]
  for (let row = start; row < end; row += 2) {
    const difference = midOf(columns, row) - midOf(columns, row + 1)
    if (!(Math.abs(difference) < smallest)) continue
    smallest = Math.abs(difference)
    forward = (columns.strike[row] as number) + difference * Math.exp(riskFreeRate * years)
  }
  return forward
}

/** At-the-money vol from the out-of-the-money quotes on both sides of the forward. */
function atmVol(snapshot: Snapshot, slice: ExpirySlice): number {
  const { columns } = snapshot
  const forward = forwardOf(snapshot, slice)
  const growth = Math.exp(riskFreeRate * slice.years)
  let above = slice.start
  while (above < slice.end && (columns.strike[above] as number) <= forward) above += 2
  if (above === slice.start || above >= slice.end) return NaN
  const [low, high] = [columns.strike[above - 2] as number, columns.strike[above] as number]
  const put = impliedVol(forward, low, slice.years, midOf(columns, above - 1) * growth, false)
  const call = impliedVol(forward, high, slice.years, midOf(columns, above) * growth, true)
  const share = Math.log(forward / low) / Math.log(high / low)
  return Math.sqrt(put ** 2 + (call ** 2 - put ** 2) * share)
}

const monthYears = 30 / 365

/** At-the-money vol at 30 days in vol points, linear in total variance; NaN when the quotes do not say. */
export function atmVol30d(snapshot: Snapshot): number {
  const slices = expirySlices(snapshot).filter(({ years }) => years > 0)
  const near = slices.filter(({ years }) => years <= monthYears).reduce((a, b) => (a.years > b.years ? a : b))
  const far = slices.filter(({ years }) => years > monthYears).reduce((a, b) => (a.years < b.years ? a : b))
  const variance = (slice: ExpirySlice): number => atmVol(snapshot, slice) ** 2 * slice.years
  const share = (monthYears - near.years) / (far.years - near.years)
  return 100 * Math.sqrt((variance(near) + (variance(far) - variance(near)) * share) / monthYears)
}

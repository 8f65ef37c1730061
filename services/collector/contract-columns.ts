import { formatDay } from '../../shared/calendar/days.ts'
import { expiryInstantS } from '../../shared/calendar/expiry.ts'
import { isAdjustedRoot, type OccContract, parseOccSymbol } from '../../shared/calendar/occ.ts'
import { usRootFacts } from '../../shared/calendar/roots.ts'
import type { Zone } from '../../shared/calendar/zones.ts'
import {
  type ChainColumns,
  contractFlags,
  maxKeptRejects,
  type QuoteReject,
  type RejectReason,
} from '../../shared/model/snapshot.ts'

const priceFields = ['bid', 'ask', 'last'] as const
const countFields = ['bidSize', 'askSize', 'volume', 'openInterest'] as const
const otherFields = [
  'lastTradeAtS',
  'providerIv',
  'providerDelta',
  'providerGamma',
  'providerTheta',
  'providerVega',
  'providerRho',
] as const
const valueFields = [...priceFields, ...countFields, ...otherFields] as const
type ContractField = (typeof valueFields)[number]

/** Normalised values in the order of the provider's rows, NaN where missing. A field left out is missing throughout. */
export interface ContractRows {
  readonly underlying: string
  readonly zone: Zone
  readonly marketTimeMs: number
  /** OCC symbols; they decide what a contract is. */
  readonly symbols: readonly string[]
  readonly values: Readonly<Partial<Record<ContractField, Float64Array>>>
  /** What the rows say of their contract beside the symbol; NaN where they do not. A row that contradicts its symbol is rejected. */
  readonly claims?: { readonly expiryDay: Float64Array; readonly right: Float64Array; readonly strike: Float64Array }
}

export interface BuiltContracts {
  /** In canonical order: root, expiry, strike, right. */
  readonly columns: ChainColumns
  /** The first `maxKeptRejects` in the order of the rows. */
  readonly rejects: readonly QuoteReject[]
  /** All of them. */
  readonly rejectsByReason: Readonly<Partial<Record<RejectReason, number>>>
}

/** More roots than any underlying has; a chain with more is not one chain. */
const maxRoots = 1000

/** Turns a provider's rows into columns, refusing row by row, with a reason, what contradicts itself or cannot be stored exactly. */
export function buildContracts(rows: ContractRows): BuiltContracts {
  const rejects = createRejects()
  const contracts: Accepted[] = []
  const roots = new Map<string, string>()
  for (const [i, symbol] of rows.symbols.entries()) {
    const contract = parseOccSymbol(symbol)
    const fault = contract === null ? badSymbol : (contradiction(rows, contract, i) ?? badValue(rows, i))
    if (contract === null || fault !== null) rejects.add(symbol, fault ?? badSymbol)
    else if (!roots.has(contract.root) && roots.size >= maxRoots) rejects.add(symbol, badSymbol)
    else {
      roots.set(contract.root, contract.root)
      contracts.push({ ...contract, row: i })
    }
  }
  const kept = withoutDuplicates(contracts.sort(canonicalOrder), (row) => {
    rejects.add(rows.symbols[row] ?? '', { reason: 'duplicate_contract', detail: `row ${row} repeats the contract` })
  })
  return { columns: toColumns(rows, kept), rejects: rejects.kept, rejectsByReason: rejects.byReason }
}

interface Accepted extends OccContract {
  readonly row: number
}

interface Fault {
  readonly reason: RejectReason
  readonly detail: string
}

const badSymbol: Fault = { reason: 'bad_symbol', detail: 'not an OCC symbol' }

function createRejects() {
  const kept: QuoteReject[] = []
  const byReason: Partial<Record<RejectReason, number>> = {}
  return {
    kept,
    byReason,
    add(symbol: string, { reason, detail }: Fault): void {
      byReason[reason] = (byReason[reason] ?? 0) + 1
      if (kept.length < maxKeptRejects) kept.push({ symbol: symbol.slice(0, 64), reason, detail: detail.slice(0, 200) })
    },
  }
}

function contradiction({ claims }: ContractRows, { expiryDay, right, strike }: OccContract, i: number): Fault | null {
  if (claims === undefined) return null
  const said = { expiryDay: claims.expiryDay[i] ?? NaN, right: claims.right[i] ?? NaN, strike: claims.strike[i] ?? NaN }
  if (!Number.isNaN(said.expiryDay) && said.expiryDay !== expiryDay) {
    return {
      reason: 'expiry_mismatch',
      detail: `row says expiry ${isoDay(said.expiryDay)}, symbol ${isoDay(expiryDay)}`,
    }
  }
  if (!Number.isNaN(said.right) && said.right !== right) {
    return { reason: 'right_mismatch', detail: `row says right ${said.right}, symbol ${right}` }
  }
  if (!Number.isNaN(said.strike) && Math.round(said.strike * 1000) !== Math.round(strike * 1000)) {
    return { reason: 'strike_mismatch', detail: `row says strike ${said.strike}, symbol ${strike}` }
  }
  return null
}

const isoDay = (day: number): string => (Number.isFinite(day) ? formatDay(day) : 'unreadable')

function badValue({ values }: ContractRows, i: number): Fault | null {
  for (const field of valueFields) {
    const value = values[field]?.[i] ?? NaN
    if (value === Infinity || value === -Infinity) return { reason: 'not_finite', detail: `${field} ${value}` }
  }
  for (const field of countFields) {
    const count = values[field]?.[i] ?? NaN
    if (count < 0) return { reason: 'negative_price', detail: `${field} ${count}` }
  }
  for (const field of priceFields) {
    const price = values[field]?.[i] ?? NaN
    if (price < 0) return { reason: 'negative_price', detail: `${field} ${price}` }
    // Prices are stored as Decimal with 4 digits; one that would not come back to the last digit is not stored at all.
    if (Math.round(price * 1e4) / 1e4 !== price && !Number.isNaN(price)) {
      return { reason: 'precision', detail: `${field} ${price} has more than 4 decimals` }
    }
  }
  return null
}

function canonicalOrder(a: Accepted, b: Accepted): number {
  if (a.root !== b.root) return a.root < b.root ? -1 : 1
  return a.expiryDay - b.expiryDay || a.strike - b.strike || a.right - b.right
}

/** The first row of a contract stands: a stable sort kept the order of the provider's rows. */
function withoutDuplicates(sorted: readonly Accepted[], onDuplicate: (row: number) => void): readonly Accepted[] {
  return sorted.filter((contract, k) => {
    const before = sorted[k - 1]
    const repeats =
      before !== undefined &&
      before.root === contract.root &&
      before.expiryDay === contract.expiryDay &&
      before.strike === contract.strike &&
      before.right === contract.right
    if (repeats) onDuplicate(contract.row)
    return !repeats
  })
}

function toColumns(rows: ContractRows, contracts: readonly Accepted[]): ChainColumns {
  const { length } = contracts
  const rootIndices = new Map<string, number>()
  const rootIndex = new Int16Array(length)
  for (const [k, { root }] of contracts.entries()) {
    const index = rootIndices.get(root) ?? rootIndices.size
    rootIndices.set(root, index)
    rootIndex[k] = index
  }
  const values = Object.fromEntries(
    valueFields.map((field) => [field, gather(rows.values[field], contracts)]),
  ) as Record<ContractField, Float64Array>
  const expiryAtS = expiryInstants(rows, contracts)
  return {
    length,
    roots: [...rootIndices.keys()],
    rootIndex,
    expiryDay: Int32Array.from(contracts, ({ expiryDay }) => expiryDay),
    expiryAtS,
    strike: Float64Array.from(contracts, ({ strike }) => strike),
    right: Int8Array.from(contracts, ({ right }) => right),
    ...values,
    flags: flagsOf(rows, contracts, expiryAtS, values),
  }
}

function gather(source: Float64Array | undefined, contracts: readonly Accepted[]): Float64Array {
  const column = new Float64Array(contracts.length).fill(NaN)
  if (source === undefined) return column
  for (const [k, { row }] of contracts.entries()) column[k] = source[row] ?? NaN
  return column
}

/** Contracts come sorted, so one instant serves a whole run of them. */
function expiryInstants({ underlying, zone }: ContractRows, contracts: readonly Accepted[]): Float64Array {
  const instants = new Float64Array(contracts.length)
  for (const [k, { root, expiryDay }] of contracts.entries()) {
    const before = contracts[k - 1]
    instants[k] =
      before?.root === root && before.expiryDay === expiryDay
        ? (instants[k - 1] as number)
        : expiryInstantS({ root, underlying, expiryDay, zone })
  }
  return instants
}

function flagsOf(
  { underlying, marketTimeMs }: ContractRows,
  contracts: readonly Accepted[],
  expiryAtS: Float64Array,
  { bid, ask }: Record<'bid' | 'ask', Float64Array>,
): Uint16Array {
  const marketTimeS = marketTimeMs / 1000
  const isAdjusted = new Map<string, boolean>()
  return Uint16Array.from(contracts, ({ root }, k) => {
    const adjusted = isAdjusted.get(root) ?? (isAdjustedRoot(root, underlying) || isForeignRoot(root, underlying))
    isAdjusted.set(root, adjusted)
    const askThere = ask[k] as number
    return (
      ((expiryAtS[k] as number) <= marketTimeS ? contractFlags.expired : 0) |
      // An ask of 0 is no ask, and nothing crosses it.
      (askThere > 0 && (bid[k] as number) > askThere ? contractFlags.crossed : 0) |
      (adjusted ? contractFlags.adjusted : 0)
    )
  })
}

/**
 * Tells whether a root belongs to another name than the underlying it is listed under: NGD under CDE and MRO under COP are
 * what a merger left, deliverable unknown. SPXW under SPX and NDXP under NDX are the same deliverable, settled otherwise.
 */
export function isForeignRoot(root: string, underlying: string): boolean {
  if (usRootFacts(root)?.underlying === underlying) return false
  const own = underlying.replaceAll(/[^A-Z0-9]/g, '')
  return root.replace(/\d$/, '') !== own.replace(/\d$/, '') && root !== `${own}W` && root !== `${own}P`
}

/** A smaller chain may be all leftovers of mergers and splits. */
const leastRowsToJudge = 10

/**
 * Returns the first root of a chain that is another name's altogether, or null: one row is enough whose root is the
 * underlying's or begins with it (SPXW under SPX, BRKB under BRK.B, SDS1 under SDS).
 */
export function foreignRoot(underlying: string, symbols: readonly string[]): string | null {
  if (symbols.length < leastRowsToJudge) return null
  const own = underlying.replaceAll(/[^A-Z]/g, '')
  let first: string | null = null
  for (const symbol of symbols) {
    const root = parseOccSymbol(symbol)?.root
    if (root?.startsWith(own) === true) return null
    first ??= root ?? null
  }
  return first
}

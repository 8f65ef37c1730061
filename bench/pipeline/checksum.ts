import type { ChainColumns, Snapshot } from '../../shared/model/snapshot.ts'
import type { Query } from '../../shared/store/queries/query.ts'

/** What a table of contracts must hold, without looking at how it got there. */
export interface ContractSum {
  readonly rows: number
  /** Sum over the rows, modulo 2^64, of (1000003 bid + ask) (2 strike + right) market time: prices in 1e-4, missing is -1, time in ms. */
  readonly hash: string
}

/** From the snapshots as they were published. */
export function expectedSum(snapshots: readonly Snapshot[]): ContractSum {
  // Copies share their columns, so each is summed once.
  const known = new Map<ChainColumns, bigint>()
  let rows = 0
  let hash = 0n
  for (const { meta, columns } of snapshots) {
    const sum = known.get(columns) ?? sumOfRows(columns)
    known.set(columns, sum)
    rows += columns.length
    hash = BigInt.asUintN(64, hash + sum * BigInt(meta.marketTimeMs))
  }
  return { rows, hash: String(hash) }
}

function sumOfRows({ length, bid, ask, strike, right }: ChainColumns): bigint {
  let sum = 0n
  for (let i = 0; i < length; i++) {
    const quote = BigInt(scaled(bid[i])) * 1_000_003n + BigInt(scaled(ask[i]))
    sum += quote * (BigInt(scaled(strike[i])) * 2n + BigInt(right[i] ?? 0))
  }
  return BigInt.asUintN(64, sum)
}

const scaled = (price = NaN): number => (Number.isNaN(price) ? -1 : Math.round(price * 10_000))

const int = (column: string): string => `ifNull(toInt64(${column} * 10000), -1)`

/** From ClickHouse, without FINAL: a row written twice shows. Integers there wrap at 64 bits. */
export async function storedSum(query: Query, table: string): Promise<ContractSum> {
  const [row] = await query.rows<{ n: number; h: string }>(
    `SELECT count() AS n, toString(sum(toUInt64(
       (${int('bid')} * 1000003 + ${int('ask')}) * (toInt64(strike * 10000) * 2 + toInt64(right))
         * toUnixTimestamp64Milli(market_time)))) AS h
     FROM ${table}`,
  )
  return { rows: row?.n ?? -1, hash: row?.h ?? '' }
}

/** Throws when a table does not hold exactly what was put in. */
export async function assertStored(query: Query, table: string, expected: ContractSum): Promise<void> {
  const found = await storedSum(query, table)
  if (found.rows === expected.rows && found.hash === expected.hash) return
  throw new Error(
    `${table}: expected ${expected.rows} rows with sum ${expected.hash}, found ${found.rows} with ${found.hash}`,
  )
}

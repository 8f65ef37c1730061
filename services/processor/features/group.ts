import { ivCodes } from '../../../shared/model/features.ts'
import { type ChainColumns, contractFlags } from '../../../shared/model/snapshot.ts'
import { keptColumns } from '../../../shared/quant/kept-columns.ts'

/** Live contracts by (root, expiry), each group's rows by strike and then calls before puts. */
export interface ExpiryGroups {
  readonly count: number
  /** Row numbers in canonical order. */
  readonly rows: Int32Array
  /** Group g is rows[starts[g]] up to rows[starts[g + 1] - 1]. */
  readonly starts: Int32Array
  readonly nExpired: number
  readonly nAdjusted: number
}

/** A strike in ten-thousandths (35 bits), the right (1) and a row's place in its group (17) share one exact double. */
const placeSpan = 131_072
const strikeScale = 10_000
const highestPackedStrike = 3_000_000

/**
 * Puts the contracts into canonical order, the same for every order of arrival, so that sums over them are bit-identical.
 * Contracts that take part in nothing are left out and get their code here.
 */
export function groupByExpiry(columns: ChainColumns, marketTimeS: number, ivCode: Uint8Array): ExpiryGroups {
  const { length } = columns
  const groupOf = new Int32Array(length)
  const rank = rootRanks(columns.roots)
  const groupKeys: number[] = []
  const sizes: number[] = []
  const byKey = new Map<number, number>()
  let nExpired = 0
  let nAdjusted = 0
  let lastKey = NaN
  let group = -1
  for (let row = 0; row < length; row++) {
    const dead = codeOfDead(columns, row, marketTimeS)
    if (dead !== ivCodes.ok) {
      ivCode[row] = dead
      if (dead === ivCodes.expired) nExpired++
      else if (dead === ivCodes.adjusted) nAdjusted++
      groupOf[row] = -1
      continue
    }
    const key = (rank[columns.rootIndex[row] ?? 0] ?? 0) * 10_000_000 + (columns.expiryDay[row] ?? 0)
    if (key !== lastKey) {
      lastKey = key
      group = byKey.get(key) ?? groupKeys.length
      if (group === groupKeys.length) {
        byKey.set(key, group)
        groupKeys.push(key)
        sizes.push(0)
      }
    }
    groupOf[row] = group
    sizes[group] = (sizes[group] ?? 0) + 1
  }
  return { ...layOut(columns, groupOf, groupKeys, sizes), nExpired, nAdjusted }
}

function codeOfDead(columns: ChainColumns, row: number, marketTimeS: number): number {
  const flags = columns.flags[row] ?? 0
  const expiryAtS = columns.expiryAtS[row] ?? NaN
  if ((flags & contractFlags.expired) !== 0 || !(expiryAtS > marketTimeS && expiryAtS < Infinity))
    return ivCodes.expired
  if ((flags & contractFlags.adjusted) !== 0) return ivCodes.adjusted
  const strike = columns.strike[row] ?? NaN
  return strike > 0 && strike < Infinity ? ivCodes.ok : ivCodes.no_forward
}

/** Rank of each root by name: root numbers themselves follow the order of arrival. */
function rootRanks(roots: readonly string[]): Int32Array {
  const sorted = roots.toSorted()
  return Int32Array.from(roots, (root) => sorted.indexOf(root))
}

function layOut(
  columns: ChainColumns,
  groupOf: Int32Array,
  groupKeys: readonly number[],
  sizes: readonly number[],
): Omit<ExpiryGroups, 'nExpired' | 'nAdjusted'> {
  const count = groupKeys.length
  const order = Array.from(groupKeys.keys()).sort((a, b) => (groupKeys[a] ?? 0) - (groupKeys[b] ?? 0))
  const starts = new Int32Array(count + 1)
  const next = new Int32Array(count)
  for (const [place, group] of order.entries()) {
    next[group] = starts[place] ?? 0
    starts[place + 1] = (starts[place] ?? 0) + (sizes[group] ?? 0)
  }
  const rows = new Int32Array(starts[count] ?? 0)
  for (let row = 0; row < groupOf.length; row++) {
    const group = groupOf[row] ?? -1
    if (group < 0) continue
    const place = next[group] ?? 0
    rows[place] = row
    next[group] = place + 1
  }
  for (let g = 0; g < count; g++) sortRows(columns, rows.subarray(starts[g], starts[g + 1]))
  return { count, rows, starts }
}

const roomForKeys = keptColumns('packed')

function sortRows(columns: ChainColumns, rows: Int32Array): void {
  const { strike, right } = columns
  const { packed } = roomForKeys(rows.length)
  let ascending = true
  let packable = rows.length <= placeSpan
  let previous = -1
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0
    const k = strike[row] ?? NaN
    if (!(k <= highestPackedStrike)) packable = false
    const key = (Math.round(k * strikeScale) * 2 + (right[row] ?? 0) - 1) * placeSpan + i
    packed[i] = key
    if (key < previous) ascending = false
    previous = key
  }
  if (!packable) {
    rows.sort((a, b) => (strike[a] ?? 0) - (strike[b] ?? 0) || (right[a] ?? 0) - (right[b] ?? 0) || a - b)
    return
  }
  if (ascending) return
  packed.subarray(0, rows.length).sort()
  const unsorted = rows.slice()
  for (let i = 0; i < rows.length; i++) {
    const key = packed[i] ?? 0
    rows[i] = unsorted[key - Math.floor(key / placeSpan) * placeSpan] ?? 0
  }
}

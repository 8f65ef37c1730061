import type { ChainColumns } from '../../../shared/model/snapshot.ts'
import { maxPain } from '../../../shared/quant/max-pain.ts'

/** Max pain over `rows`: the strike at which open interest pays out least; NaN without open interest. */
export function maxPainOf(columns: ChainColumns, rows: Int32Array): number {
  const strike = new Float64Array(rows.length)
  const right = new Int8Array(rows.length)
  const openInterest = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0
    strike[i] = columns.strike[row] ?? NaN
    right[i] = columns.right[row] ?? 0
    openInterest[i] = columns.openInterest[row] ?? NaN
  }
  return maxPain({ count: rows.length, strike, right, openInterest })
}

import type { ChainColumns } from '../../../shared/model/snapshot.ts'
import { maxPain } from '../../../shared/quant/max-pain.ts'

/** Max pain over `rows`: the strike at which open interest pays out least; NaN without open interest. */
export function maxPainOf({ strike, right, openInterest }: ChainColumns, rows: Int32Array): number {
  return maxPain({ count: rows.length, strike, right, openInterest, rows })
}

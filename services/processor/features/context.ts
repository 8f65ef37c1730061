import type { ContractFigures, ExerciseStyle } from '../../../shared/model/features.ts'
import type { ChainColumns } from '../../../shared/model/snapshot.ts'
import type { ExpiryTerms } from '../../../shared/quant/implied-volatility.ts'
import type { ForwardEstimate } from './forward.ts'
import type { StrikeColumns } from './strikes.ts'

/** What all expiries of a snapshot share. */
export interface ChainContext {
  readonly columns: ChainColumns
  readonly figures: ContractFigures
  readonly spot: number
  /** Units of the underlying a contract stands for. */
  readonly multiplier: number
  readonly marketTimeS: number
  /** Start of the session's civil day; -Infinity where it is not known. */
  readonly sessionStartS: number
  /** That day, days since 1970-01-01; NaN where it is not known. */
  readonly sessionDay: number
}

/** One expiry with its strikes paired, before its forward is known and they are solved. */
export interface UnsolvedExpiry {
  readonly root: string
  /** Days since 1970-01-01. */
  readonly expiryDay: number
  readonly expiryAtS: number
  readonly exerciseStyle: ExerciseStyle
  /** Rows of its contracts in canonical order: by strike, calls before puts. */
  readonly rows: Int32Array
  readonly strikes: StrikeColumns
  readonly yearsToExpiry: number
  /** Zero rate of the curve, continuous. */
  readonly rate: number
  readonly discount: number
}

/** One expiry whose strikes have been solved: what every feature of it is made from. */
export interface SolvedExpiry extends Omit<UnsolvedExpiry, 'yearsToExpiry' | 'discount'> {
  readonly terms: ExpiryTerms
  readonly forward: ForwardEstimate
  /** False below the time floor: no strike has a volatility. */
  readonly isSolved: boolean
}

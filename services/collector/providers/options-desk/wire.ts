import { z } from 'zod'
import { type FetchRefusal, refused } from '../provider.ts'
import { type DriftObserver, type RawChain, readRows, type RowShape } from '../raw-chain.ts'

/**
 * A document of the options-desk recorder, one line of its NDJSON: quotes of Yahoo joined with greeks of Cboe by contract.
 * `updated` is when the recorder fetched it, ISO 8601 with an offset.
 */
const documentSchema = z.looseObject({
  symbol: z.string().min(1).max(32),
  updated: z.string().nullish(),
  underlyingPrice: z.number().nullish(),
  quotes: z.custom<readonly unknown[]>(Array.isArray, 'quotes is not a list'),
})

const documentFields = new Set(['symbol', 'updated', 'underlyingPrice', 'greeks', 'expirations', 'quotes'])

const numberFields = [
  'strike',
  'bid',
  'ask',
  'last',
  'volume',
  'openInterest',
  'iv',
  'delta',
  'gamma',
  'theta',
  'vega',
  'rho',
] as const
const textFields = ['expiration', 'side'] as const
type OptionsDeskRows = RawChain<(typeof numberFields)[number], (typeof textFields)[number]>

const rowShape: RowShape<(typeof numberFields)[number], (typeof textFields)[number]> = {
  symbol: 'symbol',
  numbers: numberFields,
  texts: textFields,
  unread: ['mid', 'greeksSource', 'greeksMissingReason'],
}

export interface OptionsDeskChain {
  /** As Yahoo writes it: `BRK-B`, `^SPX`. */
  readonly symbol: string
  readonly updated: string | null
  readonly underlyingPrice: number | null
  readonly rows: OptionsDeskRows
}

/** Checks a parsed document against the recorder's shape. Unknown fields are told and ignored, wrong types refuse the whole. */
export function readOptionsDesk(document: unknown, onDrift: DriftObserver): OptionsDeskChain | FetchRefusal {
  const parsed = documentSchema.safeParse(document)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return refused('schema', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a document'}`)
  }
  const { symbol, updated, underlyingPrice, quotes } = parsed.data
  for (const field in parsed.data) if (!documentFields.has(field)) onDrift(field)
  const rows = readRows(quotes, rowShape, (field) => onDrift(`quotes[].${field}`))
  if ('problem' in rows) return refused('schema', rows.problem)
  return { symbol, updated: updated ?? null, underlyingPrice: underlyingPrice ?? null, rows }
}

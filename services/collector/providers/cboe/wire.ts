import { z } from 'zod'
import { type FetchRefusal, refused } from '../provider.ts'
import { type DriftObserver, type RawChain, readRows, type RowShape } from '../raw-chain.ts'

/**
 * Cboe's delayed quotes, `GET /api/global/delayed_quotes/options/{SYM}.json`.
 *
 * `timestamp` is UTC and of the file, 15 minutes ahead of the data; every other time is New York wall clock without zone.
 */
const envelopeSchema = z.looseObject({
  timestamp: z.string().nullish(),
  symbol: z.string().optional(),
  data: z.looseObject({
    symbol: z.string().optional(),
    current_price: z.number().nullish(),
    options: z.custom<readonly unknown[]>(Array.isArray, 'options is not a list'),
  }),
})

const envelopeFields = new Set(['timestamp', 'symbol', 'data'])
const dataFields = new Set(
  (
    'options symbol security_type exchange_id current_price price_change price_change_percent bid ask bid_size ask_size ' +
    'open high low close prev_day_close volume iv30 iv30_change iv30_change_percent seqno last_trade_time tick'
  ).split(' '),
)

const numberFields = [
  'bid',
  'ask',
  'bid_size',
  'ask_size',
  'last_trade_price',
  'volume',
  'open_interest',
  'iv',
  'delta',
  'gamma',
  'theta',
  'vega',
  'rho',
] as const
type CboeNumber = (typeof numberFields)[number]

const rowShape: RowShape<CboeNumber, 'last_trade_time'> = {
  symbol: 'option',
  numbers: numberFields,
  texts: ['last_trade_time'],
  unread: ['theo', 'change', 'open', 'high', 'low', 'tick', 'percent_change', 'prev_day_close'],
}

export interface CboeChain {
  /** As Cboe writes it: `IWM`, `^SPX` or `_SPX`. */
  readonly symbol: string | null
  /** UTC, `YYYY-MM-DD HH:MM:SS`. */
  readonly timestamp: string | null
  readonly currentPrice: number | null
  readonly rows: RawChain<CboeNumber, 'last_trade_time'>
}

/** Checks a parsed document against Cboe's shape. Unknown fields are told and ignored, wrong types refuse the whole. */
export function readCboe(document: unknown, onDrift: DriftObserver): CboeChain | FetchRefusal {
  const parsed = envelopeSchema.safeParse(document)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return refused('schema', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not the envelope'}`)
  }
  const { timestamp, symbol, data } = parsed.data
  for (const field in parsed.data) if (!envelopeFields.has(field)) onDrift(field)
  for (const field in data) if (!dataFields.has(field)) onDrift(`data.${field}`)
  const rows = readRows(data.options, rowShape, (field) => onDrift(`data.options[].${field}`))
  if ('problem' in rows) return refused('schema', rows.problem)
  return {
    symbol: data.symbol ?? symbol ?? null,
    timestamp: timestamp ?? null,
    currentPrice: data.current_price ?? null,
    rows,
  }
}

import { z } from 'zod'
import { instantMs } from './instant.ts'
import { refusalReasons } from './snapshot.ts'
import { maxTickerLength } from './ticker.ts'

/** Anybody who may publish can send a report, so texts and lists have limits far above what a collector sends. */
const name = z.string().min(1).max(200)
const ticker = z.string().min(1).max(maxTickerLength)
const maxUnderlyings = 100_000
const maxDetailLength = 4_096

/** As the tables have it: a report they refuse would come again for ever, and hold up those beside it. */
const durationMs = z.int().max(2 ** 32 - 1)

/** One pass of a collector as it went; JSON on `quality.pass.<provider>`. */
export const passReportSchema = z.object({
  provider: name,
  instance: name,
  boot: name,
  /** Null where a collector says what it will fetch before its first pass, and where it says that its provider has ended. */
  scanId: name.nullable(),
  /** True when the provider's clock is the wall's: time goes on though the collector does not. */
  live: z.boolean(),
  exchangeZone: z.string().max(64),
  intervalMs: durationMs.positive(),
  /** The provider's stated delay: a slot's chain is due so long after it. */
  delayMs: durationMs.nonnegative(),
  /** Start of this boot's first pass. All times are the provider's clock. */
  plannedFromMs: instantMs,
  startedAtMs: instantMs,
  /** Of the pass before, of this boot. */
  previousStartedAtMs: instantMs.nullable(),
  /** The whole plan, whether this pass came to it or not. */
  underlyings: z.array(ticker).max(maxUnderlyings),
  /** Intervals that are not `intervalMs`. */
  ownIntervalsMs: z.record(ticker, durationMs.positive()),
  /** Underlying, number of the message (0 when the stream had it already), its sequence. */
  published: z.array(z.tuple([ticker, z.int().nonnegative(), z.int().nonnegative()])).max(maxUnderlyings),
  /** Fetched and the same snapshot as before. */
  repeated: z.array(ticker).max(maxUnderlyings),
  refused: z.array(z.tuple([ticker, z.enum(refusalReasons), z.string().max(maxDetailLength)])).max(maxUnderlyings),
  /** Highest `n` of `Sf-Publisher: <instance>/<boot>/<n>` on CHAINS below which all are acknowledged. */
  lastAcked: z.int().nonnegative(),
  /** How many of these the stream had already: their numbers are in no message. */
  duplicates: z.int().nonnegative(),
  /** The provider has come to its end: nothing more is expected. */
  ended: z.boolean(),
})
export type PassReport = Readonly<z.output<typeof passReportSchema>>

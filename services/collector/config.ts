import { z } from 'zod'
import { busSettings } from '../../shared/bus/settings.ts'
import { defaultPartitions } from '../../shared/bus/subjects.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { type Env, flag, integer, list, readSettings } from '../../shared/runtime/config.ts'
import { healthSettings } from '../../shared/runtime/settings.ts'
import { canonicalTickers } from './plan.ts'
import { providerNames } from './providers/registry.ts'

function parseIntervals(text: string, context: z.RefinementCtx): ReadonlyMap<string, number> {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '')
  const pairs = parts.map((part) => /^([^:]+):(\d{4,8})$/.exec(part))
  if (pairs.some((pair) => pair === null)) {
    context.addIssue({ code: 'custom', message: 'Expected TICKER:MILLISECONDS pairs, such as "IWM:300000 TLT:600000"' })
  }
  return new Map(pairs.map((pair) => [canonicalTickers([pair?.[1] ?? ''])[0] ?? '', Number(pair?.[2])]))
}

/** Settings under the prefix `COLLECTOR`. */
const collectorSettings = z.object({
  provider: z.enum(providerNames).default('simulator'),
  /** Name of this instance in message headers and logs. */
  instance: z.string().default('collector'),
  /** Empty takes all the provider has; cboe must be told. */
  underlyings: list().default([]),
  /** From the start of one pass to the next, live providers only. Cboe's file moves about once a minute at best. */
  intervalMs: integer(1_000, 86_400_000).default(60_000),
  /** Underlyings that are due less often, `IWM:300000 TLT:600000`: milliseconds, whole multiples of the pass interval. */
  underlyingIntervalsMs: z.string().default('').transform(parseIntervals),
  /** Fetches side by side, live providers only. */
  maxConcurrency: integer(1, 64).default(4),
  /** A file or a directory of recordings. */
  recordingPath: z.string().optional(),
  /** Recorded or simulated seconds per second of the wall; 0 is as fast as possible. Recordings: 1, the simulator: its own. */
  speed: z.coerce.number().min(0).max(1_000_000).optional(),
  /** Progress on stderr, and at the end a table of what was in it on stdout. */
  report: flag().default(false),
  /** Partitions of CHAINS; must equal the processors'. */
  partitions: integer(1, 1024).default(defaultPartitions),
  cboeBaseUrl: z.url().default('https://cdn.cboe.com'),
  cboeTimeoutMs: integer(100, 600_000).default(15_000),
  cboeMaxBodyBytes: integer(1_000, 1_000_000_000).default(64 * 1024 * 1024),
  cboeMaxRetryAfterMs: integer(0, 3_600_000).default(30_000),
  cboeUserAgent: z.string().default('strikeflow (option-chain pipeline)'),
  /** The same seed gives the same market. */
  simSeed: integer(0, 2 ** 31 - 1).optional(),
  /** How many underlyings; `COLLECTOR_UNDERLYINGS` names them instead. */
  simUnderlyings: integer(1, 6_000).optional(),
  /** Contracts of all chains together, roughly. */
  simContracts: integer(1, 10_000_000).optional(),
  /** Instant of the first pass, ISO 8601. */
  simStart: z.iso.datetime({ offset: true }).optional(),
  /** Simulated time from pass to pass. */
  simPassIntervalMs: integer(1_000, 3_600_000).optional(),
  /** Passes as fast as possible before the pace begins. */
  simWarmUpPasses: integer(0, 100_000).optional(),
  simEvents: z.enum(['default', 'none']).optional(),
  /** Planned faults, `AAPL timeout 5-8; MSFT unchanged 10-12; * skipped 20-24`: underlying, what happens, passes from 0. */
  simFaults: z.string().optional(),
  /** Passes before it ends; without it runs for ever. */
  simPasses: integer(1, 1_000_000_000).optional(),
  /** NDJSON file of the injected events. */
  simGroundTruthPath: z.string().optional(),
})
type CollectorSettings = z.output<typeof collectorSettings>

export interface CollectorConfig {
  readonly collector: CollectorSettings
  readonly nats: z.output<typeof busSettings>
  readonly health: z.output<typeof healthSettings>
}

/** Reads the environment; throws a `config` error that names every variable that is wrong. */
export function readConfig(env: Env): CollectorConfig {
  const collector = readSettings('COLLECTOR', collectorSettings, env)
  if (collector.provider === 'recording' && collector.recordingPath === undefined) {
    throw new StrikeflowError('config', 'COLLECTOR_RECORDING_PATH: the recording provider needs a path')
  }
  if (collector.provider === 'cboe' && collector.underlyings.length === 0) {
    throw new StrikeflowError('config', 'COLLECTOR_UNDERLYINGS: cboe has no list of its own, name at least one')
  }
  return {
    collector: { ...collector, underlyings: [...canonicalTickers(collector.underlyings)] },
    nats: readSettings('NATS', busSettings, env),
    health: readSettings('HEALTH', healthSettings, env),
  }
}

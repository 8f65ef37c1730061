import { partitionOfUnderlying } from '../../../shared/bus/subjects.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { MissingInput, NotReproducible, ReplayJob } from '../../../shared/model/replay.ts'
import type { Store } from '../../../shared/store/connect.ts'
import { schemaIsCurrent } from '../../../shared/store/migrate.ts'
import {
  conventionsOf,
  type Databases,
  fillRangeSql,
  incarnationsOf,
  rangeParams,
  rangeTable,
  type RangeRow,
  readRange,
  readSeeds,
  readStatesOf,
} from '../../../shared/store/queries/replay.ts'
import type { ProcessorSettings } from '../config.ts'
import { beginOf } from '../delivery/place.ts'
import type { KeyState } from '../key-states.ts'
import { inOrder } from './incarnations.ts'
import { type KnownParameters, resolveParameters } from './parameters.ts'

/** A state that is there before a message is looked at. */
export interface PlacedState {
  readonly underlying: string
  readonly provider: string
  readonly state: KeyState
}

/** Everything a replay needs to know beside the messages themselves. */
export interface Plan {
  readonly databases: Databases
  readonly incarnations: readonly string[]
  /** In the order of the stream. */
  readonly rows: readonly RangeRow[]
  /** Of CHAINS when they were stored; null when that is not known. */
  readonly partitions: number | null
  /** By `placeKey`. */
  readonly states: ReadonlyMap<string, readonly PlacedState[]>
  readonly known: readonly KnownParameters[]
  readonly unknown: readonly NotReproducible[]
  readonly missing: readonly MissingInput[]
  /** By the server's clock, when the range was read. */
  readonly asOfMs: number
}

export const placeKey = ({
  incarnation,
  partition,
  streamSeq,
}: Pick<RangeRow, 'incarnation' | 'partition' | 'streamSeq'>): string => `${incarnation}/${partition}/${streamSeq}`

/** Reads which messages are of the range, from which states they begin and with which parameters they were computed. */
export async function makePlan(
  job: ReplayJob,
  { main, scratch }: { readonly main: Store; readonly scratch: Store },
  settings: ProcessorSettings,
  version: string,
): Promise<Plan> {
  const { query } = main
  const databases = { main: main.database, scratch: scratch.database }
  const incarnations = inOrder(await incarnationsOf(query))
  const asOfMs = await serverTimeMs(main)
  const whole = job.fromMs === null && job.toMs === null
  await scratch.command(fillRangeSql(main.database), { ...rangeParams(job), incarnations, whole })
  await checkSize(scratch)
  const rows = (await readRange(query, databases)).map(withBegin)
  if (rows.length === 0) throw new StrikeflowError('config', `Nothing is committed in ${main.database} in this range`)
  const { states, missing } = await seeds(main, databases, incarnations)
  const { known, unknown } = await parameters(rows, main, settings, version)
  const partitions = partitionsThen(rows, settings.partitions)
  return { databases, incarnations, rows, partitions, states, known, unknown, missing, asOfMs }
}

/** Null where what was stored shows that CHAINS had another number of partitions then. */
function partitionsThen(rows: readonly RangeRow[], partitions: number): number | null {
  const isOther = rows.some(
    ({ outcome, underlying, partition }) =>
      outcome === 'stored' && partitionOfUnderlying(underlying, partitions) !== partition,
  )
  return isOther ? null : partitions
}

/** Throws StrikeflowError `config` when the database is not one that this code writes. */
export async function checkSchema(main: Store): Promise<void> {
  if (await schemaIsCurrent(main)) return
  throw new StrikeflowError(
    'config',
    `The database ${main.database} is not there or not of this version: see "strikeflow migrate"`,
  )
}

/** A range is kept in memory, half a kilobyte a message. */
const mostMessages = 1_000_000

async function checkSize({ query }: Store): Promise<void> {
  const [row] = await query.rows<{ n: number }>(`SELECT count() AS n FROM ${rangeTable}`)
  if ((row?.n ?? 0) <= mostMessages) return
  throw new StrikeflowError(
    'config',
    `The range has ${row?.n} messages, more than ${mostMessages}: replay it in parts, each begins from the state stored before it`,
  )
}

// What comes first in an incarnation comes after where it begins.
const withBegin = (row: RangeRow): RangeRow => ({
  ...row,
  previousSeq: Math.max(row.previousSeq, beginOf(row.incarnation)),
})

async function serverTimeMs({ query }: Store): Promise<number> {
  const [row] = await query.rows<{ ms: number }>('SELECT toUnixTimestamp64Milli(now64(3)) AS ms')
  return row?.ms ?? 0
}

async function seeds(
  { query }: Store,
  databases: Databases,
  incarnations: readonly string[],
): Promise<Pick<Plan, 'states' | 'missing'>> {
  const places = await readSeeds(query, databases, incarnations)
  const stored = await readStatesOf(query, databases.main, places)
  const states = new Map<string, PlacedState[]>()
  const missing: MissingInput[] = []
  for (const place of places) {
    const { underlying, provider, snapshotId } = place
    const text = stored.get(snapshotId)
    if (text === undefined) {
      missing.push({ what: `the state of ${underlying} at ${provider} after ${snapshotId}`, why: 'it is not stored' })
    } else {
      const placed = { underlying, provider, state: JSON.parse(text) as KeyState }
      states.set(placeKey(place), [...(states.get(placeKey(place)) ?? []), placed])
    }
  }
  return { states, missing }
}

async function parameters(
  rows: readonly RangeRow[],
  { query }: Store,
  settings: ProcessorSettings,
  version: string,
): Promise<Pick<Plan, 'known' | 'unknown'>> {
  const messages = new Map<string, number>()
  for (const { codeVersion } of rows) messages.set(codeVersion, (messages.get(codeVersion) ?? 0) + 1)
  return resolveParameters(messages, await conventionsOf(query, [...messages.keys()]), settings, version)
}

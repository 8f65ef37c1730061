import { codes, exception } from './exceptions.ts'
import { refusedSettings } from './forbidden-names.ts'

/** What one query of a reader may use at most. */
export interface ReaderLimits {
  readonly readerMaxExecutionSeconds: number
  readonly readerMaxMemoryBytes: number
  readonly readerMaxResultRows: number
  readonly readerMaxResultBytes: number
}

/** The settings of every reader's session; these stand also when a request names none of them. */
export const readerDefaults = (limits: ReaderLimits): Readonly<Record<string, string>> => ({
  ...Object.fromEntries([...limitOf(limits)].map(([name, most]) => [name, String(most)])),
  timeout_overflow_mode: 'throw',
  result_overflow_mode: 'throw',
})

const limitOf = (limits: ReaderLimits): ReadonlyMap<string, number> =>
  new Map([
    ['max_execution_time', limits.readerMaxExecutionSeconds],
    ['max_memory_usage', limits.readerMaxMemoryBytes],
    ['max_result_rows', limits.readerMaxResultRows],
    ['max_result_bytes', limits.readerMaxResultBytes],
  ])

/** Settings that change how a result looks and what a client sends without being asked. They cost nothing and reach nothing. */
const harmless =
  /^(?:output_format_\w+|date_time_(?:input|output)_format|async_insert|wait_for_async_insert|optimize_on_insert|extremes|join_use_nulls|max_block_size|final|readonly)$/

/** Few enough that a text of all of them stays a small key of the session. */
const maxSettings = 32
const maxValueLength = 64

/**
 * Checks the settings that a read-only request names. They are given to its session when it opens, because the engine lets nobody
 * change a setting later (readonly = 1). Throws READONLY for any other setting, and for a limit beyond the reader's own.
 */
export function readerSettings(given: ReadonlyMap<string, string>, limits: ReaderLimits): ReadonlyMap<string, string> {
  if (given.size > maxSettings) throw exception(codes.readonly, `A reader may name at most ${maxSettings} settings.`)
  const most = limitOf(limits)
  const settings = new Map<string, string>()
  for (const [name, value] of given) {
    const limit = most.get(name)
    if (limit !== undefined) settings.set(name, withinLimit(name, value, limit))
    else if (!harmless.test(name) || refusedSettings.has(name)) throw cannotModify(name)
    else if (value.length > maxValueLength) throw cannotModify(name)
    // Our own value of `readonly` is the strictest; Grafana and JDBC clients send theirs with every query.
    else if (name !== 'readonly') settings.set(name, value)
  }
  return settings
}

function withinLimit(name: string, value: string, limit: number): string {
  const number = Number(value)
  // 0 means no limit in the engine.
  if (value.trim() === '' || !Number.isFinite(number) || number < 0)
    throw exception(codes.badArguments, `Expected a number for the setting ${name}`)
  if (number === 0) return String(limit)
  if (number > limit) throw exception(codes.readonly, `${name} may be at most ${limit} for a reader, not ${value}.`)
  return value
}

/** Refuses settings that nobody may change from the port. */
export function assertAllowedSettings(given: ReadonlyMap<string, string>): void {
  for (const name of given.keys()) {
    if (refusedSettings.has(name.toLowerCase()))
      throw exception(codes.accessDenied, `The setting ${name} must not be changed.`)
  }
}

export const cannotModify = (setting: string): Error =>
  exception(codes.readonly, `Cannot modify '${setting}' setting in readonly mode.`)

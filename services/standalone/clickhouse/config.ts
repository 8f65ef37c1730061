import { parseArgs } from 'node:util'
import { z } from 'zod'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { type Env, flag, integer, list, readSettings, variableName } from '../../../shared/runtime/config.ts'
import { logLevels } from '../../../shared/runtime/logger.ts'

const prefix = 'EMBEDDED_CLICKHOUSE'
const gib = 1024 ** 3

/** Settings of the embedded ClickHouse; each is the variable EMBEDDED_CLICKHOUSE_… and the flag --… of the same name. */
const settings = z.object({
  dataDir: z.string({ error: 'required: the directory that holds the database' }).min(1),
  host: z.string().default('127.0.0.1'),
  /** Host names by which clients may call a port on loopback, besides localhost and the loopback addresses. */
  allowedHosts: list().optional(),
  /** Folder with the passwords of the users: files `services` and `reader`. Without it they are made in `secrets` below dataDir. */
  secretsDir: z.string().min(1).optional(),
  /** 0 takes any free port; the ready line says which. */
  port: integer(0, 65_535).default(8123),
  /** Statements of our services that run side by side; further ones wait. */
  maxSessions: integer(1, 32).default(4),
  maxWaiting: integer(0, 100_000).default(1000),
  /** The same for readers. Their sessions are apart, so they cannot hold up our services. */
  readerMaxSessions: integer(1, 32).default(2),
  readerMaxWaiting: integer(0, 100_000).default(100),
  /** Limits of one reader's query. A reader may ask for less, never for more. */
  readerMaxExecutionSeconds: integer(1, 3600).default(60),
  readerMaxMemoryBytes: integer(1024 ** 2, 1024 * gib).default(2 * gib),
  readerMaxResultRows: integer(1, 1_000_000_000).default(10_000_000),
  readerMaxResultBytes: integer(1024, 64 * gib).default(gib),
  /** Of one request, after decompression. */
  maxBodyBytes: integer(1024, 64 * gib).default(gib),
  /** Of all bodies that are being received, wait or run: they stand in memory. */
  maxSpoolBytes: integer(1024, 1024 * gib).default(4 * gib),
  maxQueryBytes: integer(1024, gib).default(4 * 1024 ** 2),
  /** Of one query; the engine answers MEMORY_LIMIT_EXCEEDED beyond. */
  maxQueryMemoryBytes: integer(1024 ** 2, 1024 * gib).default(8 * gib),
  /** Of the whole engine; 0 leaves it at 90 % of the machine's. */
  maxServerMemoryBytes: integer(0, 1024 * gib).default(0),
  /** Threads of one query; 0 is one for each core. */
  maxThreads: integer(0, 256).default(0),
  /** Where bodies and results pass through. Without it /dev/shm, or the temporary folder where that is small. */
  spoolDir: z.string().optional(),
  /** Ends when the process that started it is gone, so that a killed supervisor leaves nothing behind. */
  exitWithParent: flag().default(false),
  logLevel: z.enum(logLevels).default('info'),
})

export type ClickHouseConfig = z.output<typeof settings>

/** Reads flags and variables; a flag wins. */
export function readConfig(args: readonly string[], env: Env): ClickHouseConfig {
  const names = Object.keys(settings.shape)
  const options = Object.fromEntries(names.map((name) => [kebab(name), { type: 'string' as const }]))
  const { values } = parseFlags(args, options)
  const given: Record<string, string | undefined> = { ...env }
  for (const name of names) {
    const value = values[kebab(name)]
    if (value !== undefined) given[variableName(prefix, name)] = value
  }
  return readSettings(prefix, settings, given)
}

function parseFlags(
  args: readonly string[],
  options: Record<string, { type: 'string' }>,
): { values: Record<string, string | undefined> } {
  try {
    return parseArgs({ args: [...args], options }) as { values: Record<string, string | undefined> }
  } catch (error) {
    throw new StrikeflowError('config', (error as Error).message, { cause: error })
  }
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

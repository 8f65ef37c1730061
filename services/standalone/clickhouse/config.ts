import { parseArgs } from 'node:util'
import { z } from 'zod'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { type Env, flag, integer, readSettings, variableName } from '../../../shared/runtime/config.ts'
import { logLevels } from '../../../shared/runtime/logger.ts'
import type { User } from './users.ts'

const prefix = 'EMBEDDED_CLICKHOUSE'
const gib = 1024 ** 3

const users = z.array(
  z.object({
    name: z.string().min(1),
    /** Empty: none, and then only from this machine. */
    password: z.string().default(''),
    readonly: z.boolean().default(false),
  }),
)

/** Settings of the embedded ClickHouse; each is the variable EMBEDDED_CLICKHOUSE_… and the flag --… of the same name. */
const settings = z.object({
  dataDir: z.string({ error: 'required: the directory that holds the database' }).min(1),
  host: z.string().default('127.0.0.1'),
  /** 0 takes any free port; the ready line says which. */
  port: integer(0, 65_535).default(8123),
  /** Statements that run side by side; further ones wait. */
  maxSessions: integer(1, 32).default(4),
  maxWaiting: integer(0, 100_000).default(1000),
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
  password: z.string().default(''),
  apiPassword: z.string().default(''),
  grafanaPassword: z.string().default(''),
  /** JSON list of {name, password, readonly}, in place of the usual four. */
  users: z.string().optional(),
  logLevel: z.enum(logLevels).default('info'),
})

export type ClickHouseConfig = Omit<z.output<typeof settings>, 'users'> & { readonly users: readonly User[] }

/** Reads flags and variables; a flag wins. Passwords come by variable only, since a command line is seen by everybody. */
export function readConfig(args: readonly string[], env: Env): ClickHouseConfig {
  const names = Object.keys(settings.shape).filter((name) => !/password|users/i.test(name))
  const options = Object.fromEntries(names.map((name) => [kebab(name), { type: 'string' as const }]))
  const { values } = parseFlags(args, options)
  const given: Record<string, string | undefined> = { ...env }
  for (const name of names) {
    const value = values[kebab(name)]
    if (value !== undefined) given[variableName(prefix, name)] = value
  }
  const { users: list, ...config } = readSettings(prefix, settings, given)
  return { ...config, users: list === undefined ? usualUsers(config) : parseUsers(list) }
}

function usualUsers(passwords: { password: string; apiPassword: string; grafanaPassword: string }): User[] {
  return [
    { name: 'default', password: '', readonly: false },
    { name: 'strikeflow', password: passwords.password, readonly: false },
    { name: 'strikeflow_api', password: passwords.apiPassword, readonly: true },
    { name: 'strikeflow_grafana', password: passwords.grafanaPassword, readonly: true },
  ]
}

function parseUsers(list: string): User[] {
  try {
    return users.parse(JSON.parse(list))
  } catch (error) {
    const text = `${variableName(prefix, 'users')} is not a JSON list of {name, password, readonly}`
    throw new StrikeflowError('config', text, { cause: error })
  }
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

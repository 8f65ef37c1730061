import { type Logger as PinoLogger, pino } from 'pino'
import { printableJson } from '../model/printable.ts'

export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  child(bindings: Record<string, unknown>): Logger
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Field names whose values never reach a log, at any depth pino can name. */
const secretFields = ['password', 'token', 'apiKey', 'secret', 'authorization', 'cookie']

/** Returns the process's JSON logger on stderr, so that stdout stays free for what a person or a pipe reads. */
export function createLogger(base: {
  readonly service: string
  readonly instance?: string
  readonly level?: LogLevel
  /** Appended to instead of stderr. */
  readonly file?: string
}): Logger {
  const { level = 'info', file, ...bindings } = base
  const paths = secretFields.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
  return pino(
    // Errors quote what came with a message, and people read logs in a terminal.
    { level, base: bindings, redact: { paths, censor: '[redacted]' }, hooks: { streamWrite: printableJson } },
    pino.destination({ ...(file === undefined ? { fd: 2 } : { dest: file, mkdir: true }), sync: true }),
  )
}

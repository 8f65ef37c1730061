import { type Logger as PinoLogger, pino } from 'pino'
import { printableJson } from '../model/printable.ts'

export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  child(bindings: Record<string, unknown>): Logger
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

const mostWaitingBytes = 1024 * 1024

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
  const destination = pino.destination({
    ...(file === undefined ? { fd: 2 } : { dest: file, mkdir: true }),
    sync: true,
    // Lines that a full disk does not take wait here, and are written before the next one that it takes; what is more is left out.
    maxLength: mostWaitingBytes,
  })
  // A log that cannot be written is no reason to end: without a listener the error would.
  destination.on('error', () => {})
  return pino(
    // Errors quote what came with a message, and people read logs in a terminal.
    { level, base: bindings, redact: { paths, censor: '[redacted]' }, hooks: { streamWrite: printableJson } },
    destination,
  )
}

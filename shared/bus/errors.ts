import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream'
import { ClosedConnectionError, DrainingConnectionError, errors, PermissionViolationError } from 'nats'
import { StrikeflowError } from '../model/errors.ts'

/** JetStream error codes (nats-server server/errors.json) that this code acts on. */
export const apiErrorCodes = {
  insufficientResources: 10_023,
  insufficientStorage: 10_047,
  streamNotFound: 10_059,
  messageNotFound: 10_037,
  wrongLastSequence: 10_071,
  wrongLastSequenceUnknown: 10_164,
  temporarilyUnavailable: 10_008,
  /** A limit with discard new, or the disk: "maximum bytes exceeded", "no space left". */
  storeFailed: 10_077,
} as const

const full: ReadonlySet<number> = new Set([
  apiErrorCodes.insufficientResources,
  apiErrorCodes.insufficientStorage,
  apiErrorCodes.storeFailed,
])

/**
 * What a failure of the bus asks of the caller: `transient` goes away by itself, `full` must be passed on as back-pressure,
 * `fatal` stays until somebody changes something.
 */
export type Failure = 'transient' | 'full' | 'fatal'

export function classify(error: unknown): Failure {
  if (error instanceof JetStreamApiError) {
    if (full.has(error.code)) return 'full'
    return error.code === apiErrorCodes.temporarilyUnavailable || error.status >= 500 ? 'transient' : 'fatal'
  }
  if (error instanceof ClosedConnectionError || error instanceof DrainingConnectionError) return 'fatal'
  if (error instanceof PermissionViolationError || error instanceof errors.AuthorizationError) return 'fatal'
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.InvalidSubjectError) return 'fatal'
  if (error instanceof StrikeflowError) return error.retryable ? 'transient' : 'fatal'
  return isNatsError(error) ? 'transient' : 'fatal'
}

/** Classified once: `retryable` means the same call may succeed later. */
export function busError(what: string, cause: unknown): StrikeflowError {
  if (cause instanceof StrikeflowError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StrikeflowError('bus', `${what}: ${reason}`, { cause, retryable: classify(cause) !== 'fatal' })
}

export const isApiError = (error: unknown, code: number): boolean =>
  error instanceof JetStreamApiError && error.code === code

/** True when nobody listens where it was sent: there is no such stream, or JetStream is not up yet. */
export const isUnheard = (error: unknown): boolean =>
  (error instanceof Error && error.name === 'JetStreamNotEnabled') ||
  error instanceof errors.NoRespondersError ||
  (error instanceof errors.RequestError && error.isNoResponders())

function isNatsError(error: unknown): boolean {
  return (
    error instanceof JetStreamError ||
    error instanceof errors.TimeoutError ||
    error instanceof errors.RequestError ||
    error instanceof errors.NoRespondersError ||
    error instanceof errors.ConnectionError ||
    (error instanceof Error && error.name === 'JetStreamNotEnabled')
  )
}

/** A stream whose sequences no longer mean what they meant: made anew, or its end lost. The reader must place itself again. */
export class StreamResetError extends StrikeflowError {
  constructor(message: string) {
    super('bus', message)
    this.name = 'StreamResetError'
  }
}

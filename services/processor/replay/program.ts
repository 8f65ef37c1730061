import { createLogger } from '../../../shared/runtime/logger.ts'
import { systemTimers } from '../../../shared/runtime/clock.ts'
import { createRegistry } from '../../../shared/runtime/metrics.ts'
import type { Store } from '../../../shared/store/connect.ts'
import type { ProcessorSettings } from '../config.ts'
import { Flusher } from '../delivery/flusher.ts'
import type { Handler } from '../delivery/ports.ts'
import { createBatchWriter } from '../delivery/write-batch.ts'
import type { Flush } from '../flush.ts'
import { createHandler } from '../handler.ts'
import { createMetrics } from '../metrics.ts'
import { InsertLimit } from '../insert-limit.ts'
import { createRowSink } from '../row-sink.ts'
import { publishNothing } from './discard.ts'
import type { KnownParameters } from './parameters.ts'

/** The processor's code with the parameters of one code version, writing into the scratch database. */
export interface Program {
  readonly codeVersion: string
  readonly handler: Handler
  readonly flusher: Flusher<Flush>
  /** Rejects when something could not be written: then the replay is over. */
  readonly failed: Promise<never>
  /** Resolves when all of a partition is written. */
  settled(partition: number): Promise<void>
}

/**
 * The processor's own handler: it decodes, computes and detects, and what it would publish is dropped.
 *
 * @param partitions of the stream at that time; null takes messages wherever they lay
 */
export function replayHandler(
  { parameters }: Pick<KnownParameters, 'parameters'>,
  partitions: number | null = null,
): Handler {
  return createHandler({
    publisher: publishNothing,
    gather: (send) => send(),
    parameters,
    partitions,
    metrics: createMetrics(createRegistry('replay')),
    // What could not be read or computed was told when it happened, and shows as an outcome.
    log: createLogger({ service: 'replay', level: 'silent' }),
  })
}

/** Nobody waits to take over the scratch database: a slow server may take its time. */
const limit = new InsertLimit({ leastMs: 60_000, mostMs: 60_000 })
/** A minute and a half: a full disk or too little memory has to be told, for somebody to mend it. */
const mostAttempts = 22

export function createProgram(
  scratch: Store,
  known: KnownParameters,
  settings: Pick<ProcessorSettings, 'flushRows' | 'flushMs'> & { readonly partitions: number | null },
  onWritten: (flush: Flush) => void,
): Program {
  const { codeVersion, parameters } = known
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  const sink = createRowSink(scratch, { writer: { codeVersion, parameters }, limit, midway: undefined })
  const flusher = new Flusher<Flush>({
    createBatch: () => sink.createBatch(),
    write: createBatchWriter({
      sink,
      timers: systemTimers,
      point: () => undefined,
      mayWrite: () => 'yes',
      onBusy: (error, attempt) => {
        if (attempt >= mostAttempts) throw error
      },
    }),
    timers: systemTimers,
    maxRows: settings.flushRows,
    maxWaitMs: settings.flushMs,
    isHeld: () => false,
    // A server that starts again loses nothing here but the replay.
    servers: () => new Map(),
    onWritten,
    onDropped: (_, error) => failure.reject(error),
  })
  return {
    codeVersion,
    handler: replayHandler(known, settings.partitions),
    flusher,
    failed: failure.promise,
    async settled(partition) {
      const isWritten = await flusher.settled(partition)
      // What was dropped before is under way no more.
      await (isWritten ? Promise.race([failure.promise, Promise.resolve()]) : failure.promise)
    },
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { RetentionPolicy } from '@nats-io/jetstream'
import { StrikeflowError } from '../model/errors.ts'
import type { Bus } from './connect.ts'
import { busError } from './errors.ts'
import { nextMessage, type StoredMessage } from './messages.ts'
import { streamInfo } from './streams.ts'

export interface TailOptions {
  /** The oldest message kept, or only what comes from now on. @default newOnly */
  readonly begin?: 'fromStart' | 'newOnly'
}

/** Follows a subject pattern over every stream that holds such subjects; in order within each stream. */
export interface Tail extends AsyncIterable<StoredMessage, void, void>, AsyncDisposable {}

/**
 * Opens a tail. It asks for one message after the other and has no consumer, so it changes nothing on the server, and a user
 * who may only read can have one.
 */
export async function openTail(
  bus: Bus,
  subjectPattern: string,
  { begin = 'newOnly' }: TailOptions = {},
): Promise<Tail> {
  const filters = await findFilters(bus, subjectPattern)
  if (filters.length === 0) throw new StrikeflowError('bus', `No stream holds subjects like ${subjectPattern}`)
  const stop = new AbortController()
  const sources = filters.map((filter) => follow(bus, filter, begin === 'fromStart' ? 1 : filter.nextSeq, stop.signal))
  const merged = merge(sources, stop)
  return {
    [Symbol.asyncIterator]: () => merged,
    [Symbol.asyncDispose]() {
      stop.abort()
      return Promise.resolve()
    },
  }
}

type Source = AsyncGenerator<StoredMessage, void, void>

/** A person does not notice this delay, and the server hardly the question. */
const pollMs = 100

/** The messages of one stream under a filter, from a sequence on, until the signal aborts. */
async function* follow(
  bus: Bus,
  { stream, filterSubject, created }: Filter,
  fromSeq: number,
  signal: AbortSignal,
): AsyncGenerator<StoredMessage, void, void> {
  let place = { seq: fromSeq, created }
  while (!signal.aborted) {
    await bus.connected(signal)
    let message: StoredMessage | null = null
    try {
      const info = await streamInfo(bus, stream)
      // Made anew: its sequences mean other messages.
      if (info.created !== place.created) place = { seq: 1, created: info.created }
      if (place.seq <= info.lastSeq) message = await nextMessage(bus, stream, place.seq, filterSubject)
      // Where there is none, the server need not look through the same messages again.
      place.seq = message === null ? Math.max(place.seq, info.lastSeq + 1) : message.streamSeq + 1
    } catch (error) {
      if (!(error instanceof StrikeflowError && error.retryable)) throw error
    }
    if (message === null) await sleep(pollMs, undefined, { signal })
    else yield message
  }
}

interface Filter {
  readonly stream: string
  readonly filterSubject: string
  readonly nextSeq: number
  readonly created: string
}

async function findFilters(bus: Bus, pattern: string): Promise<readonly Filter[]> {
  const filters: Filter[] = []
  try {
    for await (const { config, state, created } of bus.jsm.streams.list()) {
      // What waits in a work queue is for its workers, and what lies in a bucket is no message.
      if (config.retention === RetentionPolicy.Workqueue || config.name.startsWith('KV_')) continue
      for (const subject of config.subjects ?? []) {
        const filterSubject = intersectPatterns(pattern, subject)
        if (filterSubject !== null)
          filters.push({ stream: config.name, filterSubject, nextSeq: state.last_seq + 1, created })
      }
    }
  } catch (error) {
    throw busError('cannot list the streams', error)
  }
  return filters
}

/** Returns the pattern of the subjects that match both, or null when none can. */
export function intersectPatterns(first: string, second: string): string | null {
  const left = first.split('.')
  const right = second.split('.')
  const both: string[] = []
  for (let i = 0; ; i += 1) {
    const a = left[i]
    const b = right[i]
    if (a === undefined && b === undefined) return both.join('.')
    if (a === '>' && b !== undefined) return [...both, ...right.slice(i)].join('.')
    if (b === '>' && a !== undefined) return [...both, ...left.slice(i)].join('.')
    if (a === undefined || b === undefined) return null
    if (a !== b && a !== '*' && b !== '*') return null
    both.push(a === '*' ? b : a)
  }
}

const mergedAhead = 64

/** Whatever source has something next; a reader that stops reading stops all of them. */
async function* merge(sources: readonly Source[], stop: AbortController): AsyncGenerator<StoredMessage, void, void> {
  const queue: StoredMessage[] = []
  const failures: unknown[] = []
  let open = sources.length
  let filled = Promise.withResolvers<void>()
  let drained = Promise.withResolvers<void>()

  async function pump(source: Source): Promise<void> {
    try {
      for await (const message of source) {
        queue.push(message)
        filled.resolve()
        if (queue.length >= mergedAhead) await drained.promise
      }
    } catch (error) {
      if (!stop.signal.aborted) failures.push(error)
    } finally {
      open -= 1
      filled.resolve()
    }
  }

  try {
    for (const source of sources) void pump(source)
    while (true) {
      filled = Promise.withResolvers()
      if (queue.length === 0 && failures.length === 0 && open > 0) await filled.promise
      const ready = queue.splice(0)
      drained.resolve()
      drained = Promise.withResolvers()
      yield* ready
      if (failures.length > 0) throw failures[0]
      if (open === 0 && queue.length === 0) return
    }
  } finally {
    stop.abort()
    drained.resolve()
  }
}

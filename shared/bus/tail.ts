import { RetentionPolicy } from '@nats-io/jetstream'
import type { Bus } from './connect.ts'
import { busError } from './errors.ts'
import { type Delivery, openOrderedSource, type OrderedSource } from './ordered-source.ts'
import { StrikeflowError } from '../model/errors.ts'

export interface TailOptions {
  /** The oldest message kept, or only what comes from now on. @default newOnly */
  readonly begin?: 'fromStart' | 'newOnly'
}

/** Follows a subject pattern over every stream that holds such subjects; in order within each stream. */
export interface Tail extends AsyncIterable<Delivery, void, void>, AsyncDisposable {}

/** Opens a tail; leaves no trace on the server and takes nothing from any consumer. */
export async function openTail(
  bus: Bus,
  subjectPattern: string,
  { begin = 'newOnly' }: TailOptions = {},
): Promise<Tail> {
  await using opened = new AsyncDisposableStack()
  const sources: OrderedSource[] = []
  for (const { stream, filterSubject, nextSeq } of await findFilters(bus, subjectPattern)) {
    const fromSeq = begin === 'fromStart' ? 1 : nextSeq
    sources.push(opened.use(await openOrderedSource(bus, { stream, filterSubject, fromSeq, maxMessages: 64 })))
  }
  if (sources.length === 0) throw new StrikeflowError('bus', `No stream holds subjects like ${subjectPattern}`)
  const owned = opened.move()
  const merged = merge(sources, owned)
  return {
    [Symbol.asyncIterator]: () => merged,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Filter {
  readonly stream: string
  readonly filterSubject: string
  readonly nextSeq: number
}

async function findFilters(bus: Bus, pattern: string): Promise<readonly Filter[]> {
  const filters: Filter[] = []
  try {
    for await (const { config, state } of bus.jsm.streams.list()) {
      // A work queue gives each message to one worker: looking at it would take it away, so servers refuse.
      if (config.retention === RetentionPolicy.Workqueue || config.name.startsWith('KV_')) continue
      for (const subject of config.subjects ?? []) {
        const filterSubject = intersectPatterns(pattern, subject)
        if (filterSubject !== null) filters.push({ stream: config.name, filterSubject, nextSeq: state.last_seq + 1 })
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
async function* merge(sources: readonly OrderedSource[], owned: AsyncDisposable): AsyncGenerator<Delivery, void, void> {
  await using stack = new AsyncDisposableStack()
  stack.use(owned)

  const queue: Delivery[] = []
  const failures: unknown[] = []
  let open = sources.length
  let filled = Promise.withResolvers<void>()
  let drained = Promise.withResolvers<void>()

  async function pump(source: OrderedSource): Promise<void> {
    try {
      for await (const delivery of source) {
        queue.push(delivery)
        filled.resolve()
        if (queue.length >= mergedAhead) await drained.promise
      }
    } catch (error) {
      failures.push(error)
    } finally {
      open -= 1
      filled.resolve()
    }
  }

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
}

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readManifest } from '../../shared/archive/manifest.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { Random } from '../simulation/random.ts'
import { waitFor } from '../support/wait-for.ts'
import { check, type Verdict } from './checker.ts'
import { keepPartsFew } from './checkpoint.ts'
import { disturb } from './disturb.ts'
import { attemptsIn, readHistory, storedSteps } from './history.ts'
import { patientMs } from './patience.ts'
import { undisturbed } from './reference.ts'
import type { Scene } from './scene.ts'
import type { OwnEnd, Part } from './part.ts'
import { openStack, type TortureStack } from './stack.ts'
import { watchApi, type Watched } from './watch.ts'

export interface TortureOptions {
  readonly seed: number
  readonly durationMs: number
  /** Goes on past the time, up to three times as long, until there were so many: a busy machine takes longer over each. */
  readonly leastFaults?: number
  /** Leaves the directory with data and logs. */
  readonly isKept: boolean
  readonly say: (text: string) => void
  /** Name of a planted one. */
  readonly bug?: string | undefined
  /** Ends it early. */
  readonly signal?: AbortSignal
}

export interface TortureResult extends Verdict, Watched {
  readonly seed: number
  readonly directory: string
  readonly faults: ReadonlyMap<string, number>
  /** From the last fault until everything was worked off. */
  readonly drainedMs: number
  /** Ends of processes nobody asked for, by part. */
  readonly ownEnds: ReadonlyMap<string, readonly OwnEnd[]>
  readonly notes: readonly string[]
}

/** Everything has to be worked off so long after the last fault. */
const drainLimitMs = 60_000
const progressMs = 5_000

/** One run on a stack of its own: faults for so long, then none; and what has come of it. */
export async function torture(options: TortureOptions): Promise<TortureResult> {
  const { seed, durationMs, isKept, say } = options
  const directory = await mkdtemp(join(tmpdir(), 'strikeflow-torture-'))
  say(`seed ${seed}, ${durationMs / 1000} s of faults, stack in ${directory}`)
  const result = await playIn(directory, options)
  if (isKept || result.violations.length > 0) say(`logs are in ${directory}`)
  else await rm(directory, { recursive: true, force: true })
  return result
}

async function playIn(directory: string, options: TortureOptions): Promise<TortureResult> {
  const { say, bug } = options
  await using stack = await openStack({
    directory,
    processors: 3,
    publishers: 3,
    underlyingsEach: 8,
    intervalMs: 400,
    flushMs: 200,
    isWhole: true,
    bug,
  })
  if (stack.smallDisk === null) say('disk full is left out: mounting a tmpfs is not allowed here')
  return await play(stack, options)
}

async function play(
  stack: TortureStack,
  { seed, durationMs, leastFaults = 0, say, signal }: TortureOptions,
): Promise<TortureResult> {
  const startedMs = performance.now()
  const notes: string[] = []
  const counts = new Map<string, number>()
  const over = ending({ durationMs, isEnough: () => sum(counts) >= leastFaults, signal })
  const scene: Scene = {
    stack,
    random: new Random(seed),
    over,
    counts,
    extra: new Map(),
    violations: [],
    note: (text) => void notes.push(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)}  ${text}`),
  }
  await Promise.all(stack.of('publisher').map((part) => part.start()))
  const stopWatching = new AbortController()
  const watching = Promise.all([
    watchApi(scene, stopWatching.signal),
    keepPartsFew(scene, over),
    showProgress(scene, say, stopWatching.signal),
  ])
  await disturb(scene)
  const drainedMs = await drain(scene, say)
  stopWatching.abort()
  const [watched] = await watching
  const ownEnds = new Map(stack.parts.map(({ name, ownEnds }) => [name, ownEnds] as const))
  await stopServices(scene)
  scene.violations.push(...ownEndsIn(stack), ...apiFailuresIn(watched))
  say('comparing with an undisturbed run of the same messages')
  const verdict = await judge(scene)
  const faults = new Map([...scene.counts].toSorted(([a], [b]) => a.localeCompare(b)))
  return { ...verdict, ...watched, seed, directory: stack.directory, faults, drainedMs, ownEnds, notes }
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((all, count) => all + count, 0)

interface Ending {
  readonly durationMs: number
  readonly isEnough: () => boolean
  readonly signal: AbortSignal | undefined
}

/** Aborts when the faults are to end. */
function ending({ durationMs, isEnough, signal }: Ending): AbortSignal {
  const over = new AbortController()
  const startedMs = performance.now()
  const timer = setInterval(() => {
    const passedMs = performance.now() - startedMs
    if (signal?.aborted !== true && passedMs < durationMs) return
    if (signal?.aborted !== true && passedMs < 3 * durationMs && !isEnough()) return
    clearInterval(timer)
    over.abort()
  }, 100)
  return over.signal
}

/** Faults are over: everybody is up, publishers end when all they tried is acknowledged, the rest works off what is there. */
async function drain(scene: Scene, say: (text: string) => void): Promise<number> {
  const { stack } = scene
  const fromMs = performance.now()
  say('faults are over, working off the rest')
  await Promise.all(stack.parts.map((part) => (part.thaw(), part.start())))
  try {
    await Promise.all(
      stack.of('publisher').map(async (part) => {
        if (!(await part.stop())) scene.violations.push(`${part.name} could not publish what it had tried`)
      }),
    )
    await waitFor('everything to be worked off', () => isDrained(scene), {
      timeoutMs: patientMs(drainLimitMs),
      intervalMs: 100,
    })
  } catch (error) {
    scene.violations.push(`liveness: ${(error as Error).message}`)
  }
  return performance.now() - fromMs
}

async function isDrained({ stack, extra }: Scene): Promise<boolean> {
  const { acked } = attemptsIn(stack.journals)
  const rows = await stack.store.query
    .rows<{ id: string }>('SELECT DISTINCT message_id AS id FROM snapshots_v1')
    .catch(() => [])
  const committed = new Set(rows.map(({ id }) => id))
  for (const id of acked) if (!committed.has(id)) return false
  for (const [id, { isAcked }] of extra) if (isAcked && !committed.has(id)) return false
  const { lastSeq } = await streamInfo(stack.bus, 'CHAINS')
  const { entries } = await readManifest(stack.archive)
  return entries.at(-1)?.toSeq === lastSeq
}

/** Whatever goes wrong around it, a service waits for better times. */
export const ownEndsIn = ({
  parts,
}: {
  readonly parts: readonly Pick<Part, 'name' | 'ownEnds'>[]
}): readonly string[] =>
  parts.flatMap(({ name, ownEnds }) =>
    ownEnds.filter(({ isExcused }) => !isExcused).map(({ text }) => `own end: ${name} ended with ${text}`),
  )

export const apiFailuresIn = ({ apiRequests, apiFailures }: Watched): readonly string[] =>
  apiFailures === 0 ? [] : [`API: ${apiFailures} of ${apiRequests} requests failed while it was up`]

/** Everybody who works is told to stop, and does. */
async function stopServices({ stack, violations }: Scene): Promise<void> {
  const services = stack.parts.filter(({ kind }) => kind !== 'nats' && kind !== 'clickhouse')
  await Promise.all(
    services.map(async (part) => {
      if (!(await part.stop())) violations.push(`${part.name} did not stop in time when all was done`)
    }),
  )
}

async function judge({ stack, extra, violations }: Scene): Promise<Verdict> {
  const { query } = stack.store
  const steps = await storedSteps(query, stack.journals)
  const reference = await undisturbed(steps)
  const { bus, journals, archive } = stack
  violations.push(...(await rewindsIn(stack)))
  return check(await readHistory({ bus, query, attempts: attemptsIn(journals), extra, archive, violations }, reference))
}

/** A processor that went back behind its cursor says so; without a power cut and a stream made anew none has a reason to. */
async function rewindsIn({ directory, parts }: TortureStack): Promise<readonly string[]> {
  const logs = parts
    .filter(({ kind }) => kind === 'processor')
    .map(({ name }) => join(directory, 'logs', `${name}.log`))
  const lines = (await Promise.all(logs.map((path) => readFile(path, 'utf8')))).join('\n').split('\n')
  const rewound = /commit rows without their rows|the stream has gone back/
  return lines.filter((line) => rewound.test(line)).map((line) => `rewind: ${line.slice(0, 300)}`)
}

async function showProgress(scene: Scene, say: (text: string) => void, stop: AbortSignal): Promise<void> {
  const { stack, counts, over } = scene
  const startedMs = performance.now()
  while (!stop.aborted) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, progressMs)
      stop.addEventListener('abort', () => (clearTimeout(timer), resolve(null)), { once: true })
    })
    if (stop.aborted) return
    const [row] = await stack.store.query
      .rows<{ n: number }>('SELECT count() AS n FROM snapshots_v1')
      .catch(() => [undefined])
    const { acked } = attemptsIn(stack.journals)
    const seconds = Math.round((performance.now() - startedMs) / 1000)
    say(
      `${seconds} s: ${sum(counts)} faults of ${counts.size} kinds, ${acked.size} acknowledged, ${row?.n ?? '?'} committed${over.aborted ? ', draining' : ''}`,
    )
  }
}

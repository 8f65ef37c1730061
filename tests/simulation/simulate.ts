import type { Place } from '../../services/processor/delivery/ports.ts'
import { AlertsModel } from './alerts-model.ts'
import { BucketModel } from './bucket-model.ts'
import type { Bug } from './bugs.ts'
import { check, type History, type Tally, type Violation } from './checker.ts'
import { committedSeqs, disturb, isWhole, mend, type Scene } from './disturbances.ts'
import { type FaultKind, Faults } from './faults.ts'
import { Fleet } from './fleet.ts'
import { PublisherModel } from './publisher-model.ts'
import { Random } from './random.ts'
import { SinkModel } from './sink-model.ts'
import { StreamModel } from './stream-model.ts'
import { VirtualTime } from './virtual-time.ts'
import type { World } from './world.ts'

export interface RunResult {
  readonly seed: number
  readonly violations: readonly Violation[]
  readonly tally: Tally
  readonly faults: ReadonlyMap<FaultKind, number>
  /** Virtual time until all was drained after the last fault. */
  readonly drainedMs: number
  readonly trace: readonly string[]
}

export interface RunOptions {
  readonly seed: number
  readonly bug?: Bug | null
  /** Keeps a line of everything that happens. */
  readonly isTraced?: boolean
}

const insertLimitMs = 1_000
/** Everything has to be worked off so long after the last fault, the deaths of a message that kills included. */
const drainLimitMs = 120_000
const leaveLimitMs = 30_000

/** One run: faults for a while, then none; and what has come of it. A function of the seed alone. */
export async function simulate({ seed, bug = null, isTraced = false }: RunOptions): Promise<RunResult> {
  const trace: string[] = []
  const violations: Violation[] = []
  const time = new VirtualTime(() => {
    process.stderr.write(`seed ${seed}: a process goes round in circles at ${time.nowMs} ms\n`)
    process.exit(1)
  })
  const random = new Random(seed)
  const note = (text: string): void => void trace.push(`${time.nowMs.toFixed(1).padStart(9)}  ${text}`)
  const world: World = {
    time,
    random,
    faults: new Faults(random, seed),
    note: isTraced ? note : undefined,
    violated: (rule, text) => {
      if (isTraced) note(`!! ${rule}: ${text}`)
      violations.push({ rule, text })
    },
  }
  const { scene, history } = setScene(world, bug)
  const drainedMs = await play(scene)
  const verdict = check(scene, history)
  return {
    seed,
    violations: [...violations, ...verdict.violations],
    tally: verdict.tally,
    faults: world.faults.counts,
    drainedMs,
    trace,
  }
}

function setScene(world: World, bug: Bug | null): { scene: Scene; history: History } {
  const partitions = world.random.integer(2, 5)
  const stream = new StreamModel(world, partitions)
  const cursors = new BucketModel(world)
  const backends = {
    stream,
    cursors,
    coord: new BucketModel(world),
    sink: new SinkModel(world, insertLimitMs),
    alerts: new AlertsModel(world),
  }
  const past = { hasGoneBack: false, hadPowerCut: false }
  const onOpen = watchCursors(world, past, backends.sink)
  const fleet = new Fleet(world, {
    bug,
    backends,
    delivery: {
      partitions,
      ttlMs: 2_000,
      renewMs: 500,
      insertLimitMs,
      flushRows: world.random.integer(5, 60),
      flushMs: world.random.integer(5, 200),
    },
    onOpen: onOpen.opened,
    onRewound: onOpen.rewound,
  })
  const publisher = new PublisherModel(world, stream, partitions)
  const paceMs = world.random.between(400, 2_000)
  const scene: Scene = { world, fleet, backends, publisher, partitions, paceMs, tainted: new Set(), past }
  return { scene, history: followBucket(cursors) }
}

/** Counts by the bucket itself how often somebody else went on where a message was being touched. */
function followBucket(cursors: BucketModel): History {
  interface Record {
    readonly boot: string
    readonly incarnation: string
    readonly at: number | null
    readonly outdated?: object | null
  }
  const deaths = new Map<string, number>()
  const rewritten = new Set<number>()
  cursors.onWrite = (key, before, after) => {
    const [old, next] = [before as Record | null, after as Record | null]
    if (next?.outdated !== undefined && next.outdated !== null) rewritten.add(Number(key.slice(1)))
    if (old === null || next === null || old.at === null || old.boot === next.boot) return
    const place = `${old.incarnation}/${key.slice(1)}/${old.at}`
    deaths.set(place, (deaths.get(place) ?? 0) + 1)
  }
  return { deaths, rewritten }
}

/** Where owners begin: never before where one has begun already, unless the store has lost something. */
function watchCursors(
  world: World,
  past: Scene['past'],
  sink: SinkModel,
): { opened: (place: Place, owner: string) => void; rewound: (partition: number, reason: string) => void } {
  const cursors = new Map<string, number>()
  return {
    opened({ partition, incarnation, cursor }, owner) {
      // Who was overtaken while taking begins where it likes: it writes nothing.
      if (sink.newestOwner(partition) !== owner) return
      const key = `${partition}/${incarnation}`
      const before = cursors.get(key) ?? 0
      if (cursor < before && !past.hadPowerCut)
        world.violated('cursor', `partition ${partition} goes on after ${cursor}, before that after ${before}`)
      cursors.set(key, cursor)
    },
    rewound(partition, reason) {
      world.note?.(`partition ${partition} goes back: ${reason}`)
      const isExplained = reason === 'damaged' ? past.hadPowerCut : past.hasGoneBack
      if (!isExplained) world.violated('cursor', `partition ${partition} went back (${reason}) without a reason`)
    },
  }
}

/** Returns how long it took to work everything off when the faults were over. */
async function play(scene: Scene): Promise<number> {
  const { world, fleet, publisher } = scene
  const { time, random } = world
  const durationMs = random.between(10_000, 30_000)
  publisher.plan(random.integer(60, 200), durationMs)
  for (const instance of ['a', 'b', 'c'].slice(0, random.integer(1, 3))) fleet.start(instance)
  disturb(scene)
  let drainedMs = 0
  let isOver = false
  time.after(durationMs, () => {
    world.faults.end()
    mend(scene)
    world.note?.('-- no more faults')
    const endMs = time.nowMs
    const look = (): void => {
      const late = time.nowMs - endMs > drainLimitMs
      if (late)
        world.violated(
          'liveness',
          `not worked off, or commit rows without rows, ${drainLimitMs / 1_000} s after the last fault`,
        )
      if (!late && !isDrained(scene)) return time.after(250, look)
      drainedMs = time.nowMs - endMs
      leave(scene, () => {
        isOver = true
      })
    }
    look()
  })
  await time.pass(() => isOver)
  return drainedMs
}

const isDrained = (scene: Scene): boolean =>
  scene.publisher.waiting === 0 && committedSeqs(scene).size === scene.backends.stream.size && isWhole(scene)

/** All are told to stop, and have to. */
function leave({ world, fleet }: Scene, then: () => void): void {
  const { time } = world
  const fromMs = time.nowMs
  world.note?.('-- all leave')
  for (const instance of fleet.wanted) fleet.leave(instance)
  const look = (): void => {
    if (fleet.hosts.length === 0) return then()
    if (time.nowMs - fromMs <= leaveLimitMs) return time.after(100, look)
    world.violated(
      'liveness',
      `${fleet.hosts.map(({ boot }) => boot).join()} did not stop in ${leaveLimitMs / 1_000} s`,
    )
    then()
  }
  look()
}

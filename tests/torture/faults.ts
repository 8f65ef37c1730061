import { setTimeout as delay } from 'node:timers/promises'
import type { PointName } from '../../services/processor/delivery/ports.ts'
import { diskFull } from './disk-faults.ts'
import { consumerDeleted, copyPublished, consumedPartPurged, undecodablePublished } from './message-faults.ts'
import type { Part, PartKind } from './part.ts'
import { type ToxicKind, toxicKinds } from './proxy.ts'
import { lasting, type Scene, type Targets } from './scene.ts'
import { leaseTtlMs } from './stack.ts'

export interface Fault {
  readonly kind: string
  /** Turns in each round of the bag. */
  readonly weight: number
  /** Does it and undoes it; false when there was nothing to do it to. `strikes` is called at the moment it does. */
  readonly run: (scene: Scene, targets: Targets, strikes: (target: string) => void) => Promise<void>
}

export const crashPoints: readonly PointName[] = [
  'lease-taken',
  'epoch-inserted',
  'read-back',
  'opening',
  'alerts-sent',
  'lease-checked',
  'mid-body',
  'rows-stored',
  'acknowledged',
  'committed',
  'renewing',
  'draining',
]
const pausePoints: readonly PointName[] = ['lease-checked', 'mid-body', 'rows-stored']

const pointLimitMs = 8_000
/** A stopped owner is let go on after this even where nobody has gone on in its place. */
const replacedLimitMs = 12_000

const killed = (kind: PartKind, longestAwayMs: number, weight = 1): Fault => ({
  kind: `${kind} killed`,
  weight,
  run: onPart(kind, async (part, scene, strikes) => {
    strikes(part.name)
    await part.kill()
    await lasting(scene.random.between(0, longestAwayMs), scene.over)
    await part.start()
  }),
})

const overtaken: Fault = {
  kind: 'processor stopped',
  weight: 1,
  run: onPart('processor', async (part, scene, strikes) => {
    strikes(part.name)
    part.freeze()
    await untilReplaced(scene)
    part.thaw()
  }),
}

const frozen = (kind: PartKind, fromMs: number, toMs: number): Fault => ({
  kind: `${kind} stopped`,
  weight: 1,
  run: onPart(kind, async (part, scene, strikes) => {
    strikes(part.name)
    part.freeze()
    await lasting(scene.random.between(fromMs, toMs), scene.over)
    part.thaw()
  }),
})

const restarted = (kind: PartKind, longestAwayMs: number): Fault => ({
  kind: kind === 'processor' ? 'processor left' : `${kind} restarted`,
  weight: 1,
  run: onPart(kind, async (part, scene, strikes) => {
    strikes(part.name)
    if (!(await part.stop())) scene.violations.push(`${part.name} did not stop in time when it was told to`)
    await lasting(scene.random.between(0, longestAwayMs), scene.over)
    await part.start()
  }),
})

/** All leave but one, and come back. */
const scaled: Fault = {
  kind: 'scaled to one',
  weight: 1,
  async run(scene, targets, strikes) {
    const [first, ...rest] = targets.free('processor')
    if (first === undefined || rest.length === 0) return
    const away = scene.random.chance(0.5) ? rest : [first, ...rest.slice(1)]
    strikes(away.map(({ name }) => name).join())
    const leave = (part: Part): Promise<void> =>
      targets.withTaken(part.name, async () => {
        if (!(await part.stop())) scene.violations.push(`${part.name} did not stop in time when it was told to`)
        await lasting(scene.random.between(1_000, 4_000), scene.over)
        await part.start()
      })
    await Promise.all(away.map(leave))
  },
}

const pausedAt = (point: PointName): Fault => ({
  kind: `stopped at ${point}`,
  weight: 1,
  run: onPart('processor', async (part, scene, strikes) => {
    await part.stop()
    await part.start({ STRIKEFLOW_PAUSE_AT: `${point}:${scene.random.integer(1, 8)}` })
    const isThere = await until(() => part.isFrozen || !part.isUp, scene.over)
    if (!part.isFrozen || !isThere) {
      // It would stop some time later, with nobody to let it go on.
      await part.kill()
      await part.start()
      return
    }
    strikes(part.name)
    await untilReplaced(scene)
    part.thaw()
  }),
})

const crashedAt: Fault = {
  kind: 'killed at a point',
  weight: 3,
  run: onPart('processor', async (part, scene, strikes) => {
    const point = scene.random.pick(crashPoints) ?? 'rows-stored'
    const isRare = ['lease-taken', 'epoch-inserted', 'renewing', 'draining'].includes(point)
    const at = `${point}:${scene.random.integer(1, isRare ? 2 : 20)}`
    await part.stop()
    const ended = part.startToEnd({ STRIKEFLOW_CRASH_AT: at })
    let hasEnded = false
    void ended.then(() => (hasEnded = true))
    if (point === 'draining') await lasting(2_000, scene.over).then(() => part.stop())
    else await until(() => hasEnded, scene.over)
    if (hasEnded) strikes(`${part.name} at ${at}`)
    else await part.kill()
    await part.start()
  }),
}

const toxic = (kind: ToxicKind): Fault => ({
  kind: `link: ${kind}`,
  weight: 1,
  async run({ random, over }, targets, strikes) {
    const link = random.pick(targets.freeLinks())
    if (link === undefined) return
    await targets.withTaken(link.name, async () => {
      strikes(link.name)
      link.proxy.toxic = {
        kind,
        direction: random.pick(['up', 'down', 'both'] as const) ?? 'both',
        ms: kind === 'latency' ? random.between(20, 400) : random.between(100, 2_000),
        bytes: { bandwidth: 20_000, slicer: 64, 'limit-data': 20_000 }[kind as string] ?? 0,
      }
      await lasting(random.between(500, 4_000), over)
      link.proxy.toxic = null
    })
  },
})

/** Every kind there is, each with how often it comes. */
export const faults: readonly Fault[] = [
  killed('processor', 1_500, 3),
  killed('nats', 1_500),
  killed('clickhouse', 1_000, 2),
  killed('archiver', 1_000),
  killed('publisher', 1_500, 2),
  killed('exporter', 1_000),
  killed('api', 300),
  overtaken,
  frozen('nats', 300, 3_000),
  frozen('clickhouse', 300, 3_000),
  frozen('archiver', 500, 4_000),
  frozen('publisher', 500, 4_000),
  restarted('processor', 3_000),
  restarted('nats', 1_000),
  restarted('clickhouse', 1_000),
  scaled,
  ...pausePoints.map(pausedAt),
  crashedAt,
  ...toxicKinds.map(toxic),
  undecodablePublished,
  copyPublished,
  consumerDeleted,
  consumedPartPurged,
  diskFull,
]

function onPart(
  kind: PartKind,
  act: (part: Part, scene: Scene, strikes: (target: string) => void) => Promise<void>,
): Fault['run'] {
  return async (scene, targets, strikes) => {
    const part = scene.random.pick(targets.free(kind))
    if (part !== undefined) await targets.withTaken(part.name, () => act(part, scene, strikes))
  }
}

async function until(isTrue: () => boolean, over: AbortSignal): Promise<boolean> {
  const endMs = performance.now() + 2 * pointLimitMs
  while (!isTrue() && performance.now() < endMs && !over.aborted) await delay(20)
  return isTrue()
}

/** Resolves when somebody else has taken partitions, and written, in the place of who has stopped. */
async function untilReplaced({ stack, over }: Scene): Promise<void> {
  const look = async (): Promise<{ epochs: number; commits: number } | undefined> => {
    const sql =
      'SELECT (SELECT count() FROM partition_epochs_v1) AS epochs, (SELECT count() FROM snapshots_v1) AS commits'
    return (await stack.store.query.rows<{ epochs: number; commits: number }>(sql).catch(() => []))[0]
  }
  const endMs = performance.now() + replacedLimitMs
  const before = await look()
  await lasting(leaseTtlMs, over)
  while (performance.now() < endMs && !over.aborted) {
    const now = await look()
    const isReplaced = now !== undefined && now.epochs > (before?.epochs ?? 0)
    if (isReplaced && now.commits > (before?.commits ?? 0) + 50) return
    await lasting(100, over)
  }
}

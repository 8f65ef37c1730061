import type { FaultKind } from './faults.ts'
import type { Backends, Fleet } from './fleet.ts'
import { stopMs } from './host.ts'
import { commitsOf, damagedOf } from './ledger-model.ts'
import { keyOf, type StoredMessage } from './message.ts'
import type { PublisherModel } from './publisher-model.ts'
import type { World } from './world.ts'

export interface Scene {
  readonly world: World
  readonly fleet: Fleet
  readonly backends: Backends
  readonly publisher: PublisherModel
  readonly partitions: number
  /** Mean time between disturbances of the whole. */
  readonly paceMs: number
  /**
   * Keys of messages that left the stream before they were committed. Somebody may have counted them in all the same, and
   * nobody can do so again: what follows in these keys has no reference.
   */
  readonly tainted: Set<string>
  /** How the stream or the store went back; decides what may still happen. */
  readonly past: { hasGoneBack: boolean; hadPowerCut: boolean }
}

/** How often each disturbance of the whole comes, relative to the others. */
const weights: readonly (readonly [FaultKind, number, (scene: Scene) => boolean])[] = [
  ['killed', 1.5, (scene) => withHost(scene, (host) => scene.fleet.kill(host))],
  ['stopped', 1.5, (scene) => withHost(scene, (host) => host.stop(stopMs(scene.world)))],
  ['left', 1, leave],
  ['joined', 2, join],
  ['replaced under its name', 0.5, (scene) => withHost(scene, (host) => scene.fleet.start(host.instance))],
  ['bus away', 1, busAway],
  ['consumer deleted', 2, (scene) => scene.backends.stream.deleteConsumer()],
  ['bucket lost', 0.3, loseBucket],
  ['stream purged', 1, purge],
  ['message deleted', 0.5, deleteMessage],
  ['stream made anew', 0.25, makeAnew],
  ['stream lost its end', 0.6, loseEnd],
  ['store away', 0.7, storeAway],
  ['tables broken', 0.1, breakTables],
  ['power cut of the store', 3, cutPower],
]

/** One disturbance after the other for as long as there are faults. */
export function disturb(scene: Scene): void {
  const { time, random, faults, note } = scene.world
  if (!faults.areOn) return
  time.after(random.between(0.2, 1.8) * scene.paceMs, () => disturb(scene))
  const possible = weights.filter(([kind]) => faults.isPossible(kind))
  let left = random.between(
    0,
    possible.reduce((sum, [, weight]) => sum + weight, 0),
  )
  for (const [kind, weight, happen] of possible) {
    left -= weight
    if (left > 0) continue
    note?.(`-- ${kind}`)
    if (happen(scene)) faults.count(kind)
    return
  }
}

function withHost({ world, fleet }: Scene, act: (host: Fleet['hosts'][number]) => void): boolean {
  const host = world.random.pick(fleet.hosts)
  if (host !== undefined) act(host)
  return host !== undefined
}

function leave({ world, fleet }: Scene): boolean {
  const instance = fleet.wanted.length > 1 ? world.random.pick(fleet.wanted) : undefined
  if (instance !== undefined) fleet.leave(instance)
  return instance !== undefined
}

function join({ world, fleet }: Scene): boolean {
  const missing = ['a', 'b', 'c', 'd'].filter((instance) => !fleet.wanted.includes(instance))
  const instance = world.random.pick(missing)
  if (instance !== undefined) fleet.start(instance)
  return instance !== undefined
}

function setBus({ coord, cursors, stream, alerts }: Backends, isUp: boolean): void {
  for (const part of [coord, cursors, stream, alerts]) part.isUp = isUp
}

function busAway({ world, backends }: Scene): boolean {
  if (!backends.stream.isUp) return false
  setBus(backends, false)
  backends.stream.disconnect()
  world.time.after(world.random.between(50, 4_000), () => setBus(backends, true))
  return true
}

function loseBucket({ world, backends }: Scene): boolean {
  const bucket = world.random.pick([backends.coord, backends.cursors])
  bucket?.lose()
  return true
}

function storeAway({ world, backends: { sink } }: Scene): boolean {
  if (!sink.isUp) return false
  sink.goAway()
  world.time.after(world.random.between(50, 5_000), () => {
    if (!sink.isUp) sink.comeBack()
  })
  return true
}

function breakTables({ world, backends: { sink } }: Scene): boolean {
  sink.isBroken = true
  world.time.after(world.random.between(100, 4_000), () => {
    sink.isBroken = false
  })
  return true
}

/** Messages of the stream that have a commit row. */
export function committedSeqs({ backends: { sink, stream }, partitions }: Scene): ReadonlySet<number> {
  const { created } = stream.facts
  const seqs = new Set<number>()
  for (let partition = 0; partition < partitions; partition += 1) {
    for (const { incarnation, streamSeq, messageId } of commitsOf(sink, partition)) {
      if (incarnation !== created && !incarnation.startsWith(`${created}#`)) continue
      if (stream.at(streamSeq)?.messageId === messageId) seqs.add(streamSeq)
    }
  }
  return seqs
}

/** True when no commit row promises rows that are not there: somebody has looked after the last power cut. */
export const isWhole = ({ backends: { sink }, partitions }: Scene): boolean =>
  Array.from({ length: partitions }, (_, partition) => damagedOf(sink, partition, Infinity)).flat().length === 0

function taint(scene: Scene, gone: readonly StoredMessage[]): void {
  const committed = committedSeqs(scene)
  for (const { streamSeq, body } of gone) if (!committed.has(streamSeq)) scene.tainted.add(keyOf(body))
}

function purge(scene: Scene): boolean {
  const { world, backends, past } = scene
  if (past.hadPowerCut) return false
  const { stream } = backends
  const committed = committedSeqs(scene)
  const all = stream.all()
  const open = all.find(({ streamSeq }) => !committed.has(streamSeq))?.streamSeq ?? stream.facts.lastSeq + 1
  // As a rule what is discarded was read long ago.
  const last = world.random.chance(0.85) ? open : stream.facts.lastSeq + 1
  const belowSeq = world.random.integer(stream.facts.firstSeq, last)
  taint(
    scene,
    all.filter(({ streamSeq }) => streamSeq < belowSeq),
  )
  stream.purge(belowSeq)
  return true
}

function deleteMessage(scene: Scene): boolean {
  const { world, backends, past } = scene
  const message = world.random.pick(backends.stream.all())
  if (message === undefined || past.hadPowerCut) return false
  // Where it was the last that was committed, its absence is taken for a stream that went back.
  past.hasGoneBack = true
  taint(scene, [message])
  backends.stream.delete(message.streamSeq)
  return true
}

function makeAnew(scene: Scene): boolean {
  const { backends, past } = scene
  if (past.hadPowerCut) return false
  const gone = backends.stream.all()
  taint(scene, gone)
  backends.stream.makeAnew()
  republish(scene, gone)
  return true
}

function loseEnd(scene: Scene): boolean {
  const { world, backends, past } = scene
  const { firstSeq, lastSeq } = backends.stream.facts
  if (past.hadPowerCut || lastSeq < firstSeq) return false
  past.hasGoneBack = true
  const fromSeq = Math.max(firstSeq, lastSeq - world.random.integer(0, 25))
  const gone = backends.stream.all().filter(({ streamSeq }) => streamSeq >= fromSeq)
  taint(scene, gone)
  backends.stream.loseEnd(fromSeq)
  republish(scene, gone)
  return true
}

/** Who had no answer yet sends again. */
function republish({ world, publisher }: Scene, gone: readonly StoredMessage[]): void {
  for (const { messageId, body } of gone.slice(-20)) if (world.random.chance(0.4)) publisher.again(messageId, body)
}

/**
 * The machine of the store goes down, with or without the processors, and the store has lost parts of its last seconds: only parts
 * whose messages are still there to be read again.
 */
function cutPower(scene: Scene): boolean {
  const { world, fleet, backends, past } = scene
  const { sink, stream } = backends
  if (past.hasGoneBack || !sink.isUp) return false
  const { created } = stream.facts
  const isThere = (incarnation: string, streamSeq: number, messageId: string): boolean =>
    incarnation === created && stream.at(streamSeq)?.messageId === messageId
  const needed = new Set<number>()
  for (const own of sink.commits.values()) {
    for (const { incarnation, streamSeq, messageId, snapshotId, part } of own) {
      if (isThere(incarnation, streamSeq, messageId)) continue
      needed.add(part.id)
      for (const table of sink.rows.values())
        for (const row of table.get(snapshotId ?? '') ?? []) needed.add(row.part.id)
    }
  }
  // What a server loses depends on what it had written down of each table.
  const losing = world.random.pick([['commits'], ['quotes', 'states'], null]) ?? null
  const recent = sink.parts.filter(({ atMs, id }) => atMs > world.time.nowMs - 10_000 && !needed.has(id))
  for (const part of recent)
    if (part.table !== 'epochs' && losing?.includes(part.table) !== false) part.isLost ||= world.random.chance(0.35)
  past.hadPowerCut = true
  // On one machine with the store, or not.
  if (world.random.chance(0.25)) for (const host of fleet.hosts) fleet.kill(host)
  sink.goAway()
  sink.comeBack()
  return true
}

/** Everything works again. */
export function mend({ fleet, backends }: Scene): void {
  setBus(backends, true)
  if (!backends.sink.isUp) backends.sink.comeBack()
  backends.sink.isBroken = false
  for (const host of fleet.hosts) host.goOn()
  if (fleet.wanted.length === 0) fleet.start('z')
}

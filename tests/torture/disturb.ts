import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from '../simulation/random.ts'
import { type Fault, faults } from './faults.ts'
import { lasting, type Scene, Targets } from './scene.ts'

/** From the beginning of one fault to that of the next, on average. */
const gapMs = 850
/** At most so many at a time, or nothing would ever be worked off in between. */
const mostAtOnce = 5
/** After so many it is waited for a commit row, but not for ever: on a slow machine nothing would be under way that a fault could hit. */
const breathAfter = 8
const breathLimitMs = 10_000

/** Faults, one after the other and overlapping, until they are over; resolves when all of them are undone. */
export async function disturb(scene: Scene): Promise<void> {
  const { random, over } = scene
  const targets = new Targets(scene.stack)
  const bag = createBag(random)
  const running = new Set<Promise<void>>()
  let drawn = 0
  let committed = 0
  while (!over.aborted) {
    await delay(gapMs * random.between(0.2, 1.8), undefined, { signal: over }).catch(() => {})
    if (over.aborted) break
    if (running.size >= mostAtOnce) await Promise.race(running)
    if (++drawn % breathAfter === 0) committed = await breath(scene, committed)
    const fault = bag()
    const run: Promise<void> = strike(fault, scene, targets).finally(() => running.delete(run))
    running.add(run)
  }
  await Promise.all(running)
}

/** Resolves with the number of commit rows, when it is above the one at the last breath or nothing comes. */
async function breath({ stack, over }: Scene, before: number): Promise<number> {
  const committed = async (): Promise<number> => {
    const rows = await stack.store.query.rows<{ n: number }>('SELECT count() AS n FROM snapshots_v1').catch(() => [])
    return rows[0]?.n ?? 0
  }
  const endMs = performance.now() + breathLimitMs
  for (;;) {
    const now = await committed()
    if (now > before || over.aborted || performance.now() > endMs) return Math.max(now, before)
    await lasting(50, over)
  }
}

async function strike({ kind, run }: Fault, scene: Scene, targets: Targets): Promise<void> {
  try {
    await run(scene, targets, (target) => {
      // What has been asked for and comes about after the end does not count.
      if (scene.over.aborted) return
      scene.counts.set(kind, (scene.counts.get(kind) ?? 0) + 1)
      scene.note(`${kind}: ${target}`)
    })
  } catch (error) {
    // The tester's own requests may meet what another fault has done.
    scene.note(`${kind}: not done, ${(error as Error).message.slice(0, 120)}`)
  }
}

/** Every kind in each round, in an order of chance: a short run has them all. */
function createBag(random: Random): () => Fault {
  let left: Fault[] = []
  return () => {
    if (left.length === 0) left = faults.flatMap((fault) => Array<Fault>(fault.weight).fill(fault))
    const [fault] = left.splice(random.integer(0, left.length - 1), 1)
    return fault as Fault
  }
}

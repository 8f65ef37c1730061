import { waitFor } from '../support/wait-for.ts'
import type { LogLine } from '../support/delivery-stage.ts'
import type { Environment } from './part.ts'
import { isStopped } from './part.ts'
import type { StagedRun } from './staged.ts'

/** Exits of processes that were told to stop, and what the one that was stopped at the point has logged. */
export interface Round {
  readonly exits: readonly (number | null)[]
  readonly log: readonly LogLine[]
}

/** A victim of its own underlyings is killed at a point, started again under its name, and works everything off. */
export async function crashRound(run: StagedRun, at: string, env: Environment = {}): Promise<Round> {
  const underlyings = Array.from({ length: 24 }, (_, i) => `${at.split(':')[0]}-${i}`)
  const victim = await run.stage.start('victim', { STRIKEFLOW_CRASH_AT: at, ...env }, false)
  const target = (await run.stage.committed()) + 60
  await run.publishUntil(underlyings, async () => {
    if (at.startsWith('draining') && (await run.stage.committed()) > target) victim.kill('SIGTERM')
    return victim.process.signalCode !== null
  })
  if (victim.process.signalCode !== 'SIGKILL') throw new Error(`Expected a kill at ${at}`)
  const again = await run.stage.start('victim', env)
  await run.publishSteps(underlyings, 4)
  await run.settled()
  return { exits: [await again.stop()], log: victim.log }
}

/** An owner stops at a point; another takes its partitions and goes on; then the first is let go on, and both share. */
export async function pauseRound(run: StagedRun, at: string, name: string, env: Environment = {}): Promise<Round> {
  const underlyings = Array.from({ length: 24 }, (_, i) => `T${i}`)
  const zombie = await run.stage.start(`zombie-${name}`, { STRIKEFLOW_PAUSE_AT: at, ...env })
  await run.publishUntil(underlyings, () => isStopped(zombie.process.pid ?? 0))
  const heir = await run.stage.start(`heir-${name}`, env)
  await waitFor('the heir to own everything', async () => (await heir.owned()).length === 16)
  await run.publishSteps(underlyings, 3)
  await run.settled()
  zombie.kill('SIGCONT')
  const bothOwned = async (): Promise<readonly (readonly number[])[]> => Promise.all([zombie.owned(), heir.owned()])
  await waitFor('both to share', async () => {
    const owned = await bothOwned()
    return owned.every(({ length }) => length > 0) && new Set(owned.flat()).size === 16
  })
  await run.publishSteps(underlyings, 3)
  await run.settled()
  return { exits: await Promise.all([zombie.stop(), heir.stop()]), log: zombie.log }
}

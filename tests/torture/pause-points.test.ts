import { describe, expect, it } from 'vitest'
import { Random } from '../simulation/random.ts'
import { testLease } from '../support/delivery-stage.ts'
import { waitFor } from '../support/wait-for.ts'
import { isStopped } from './part.ts'
import { again, print, seed, sized } from './size.ts'
import { openStagedRun } from './staged.ts'

const rounds = sized(3, 10)
const underlyings = Array.from({ length: 24 }, (_, i) => `T${i}`)

describe('an owner stopped for longer than its lease and let go on', { timeout: 900_000 }, () => {
  it.concurrent.each([
    ['after the lease check', 'lease-checked', 15],
    ['in the middle of a body', 'mid-body', 15],
    ['between rows and commit rows', 'rows-stored', 5],
  ])(`writes nothing once another has its partitions: %s, ${rounds} rounds`, async (_, point, most) => {
    await using run = await openStagedRun()
    const random = new Random(seed + point.length)
    const refusals: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const at = `${point}:${random.integer(2, most)}`
      const zombie = await run.stage.start(`zombie-${round}`, { STRIKEFLOW_PAUSE_AT: at })
      await run.publishUntil(underlyings, () => isStopped(zombie.process.pid ?? 0))
      const heir = await run.stage.start(`heir-${round}`)
      await waitFor('the heir to own everything', async () => (await heir.owned()).length === 16)
      await run.publishSteps(underlyings, 3)
      await run.settled()
      zombie.kill('SIGCONT')
      await waitFor('both to share', async () => {
        return (await zombie.owned()).length === 8 && (await heir.owned()).length === 8
      })
      await run.publishSteps(underlyings, 3)
      await run.settled()
      refusals.push(zombie.log.filter(({ msg }) => msg === 'partitions begin again').length)
      expect(await Promise.all([zombie.stop(), heir.stop()])).toEqual([0, 0])
    }
    const { table, violations } = await run.judge()
    print(
      `seed ${seed}, stopped ${point}, time to live ${testLease.ttlMs} ms: ${rounds} rounds, refused or begun again ${refusals.join(', ')}\n${JSON.stringify(table)}`,
    )
    expect(violations, again('pause-points.test.ts')).toEqual([])
    expect(Math.min(...refusals)).toBeGreaterThan(0)
  })
})

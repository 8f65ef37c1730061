import { describe, expect, it } from 'vitest'
import { Random } from '../simulation/random.ts'
import { testLease } from '../support/delivery-stage.ts'
import { pauseRound } from '../torture/rounds.ts'
import { print, printAgainWhenFailed, seed, sized, suiteAgain } from '../torture/size.ts'
import { openStagedRun } from '../torture/staged.ts'

const rounds = sized(3, 10)

describe('an owner stopped for longer than its lease and let go on', { timeout: 900_000 }, () => {
  printAgainWhenFailed(suiteAgain('pause-points.test.ts'))

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
      const { exits, log } = await pauseRound(run, at, String(round))
      expect(exits).toEqual([0, 0])
      refusals.push(log.filter(({ msg }) => msg === 'partitions begin again').length)
    }
    const { table, violations } = await run.judge()
    print(
      `seed ${seed}, stopped ${point}, time to live ${testLease.ttlMs} ms: ${rounds} rounds, refused or begun again ${refusals.join(', ')}\n${JSON.stringify(table)}`,
    )
    expect(violations).toEqual([])
    expect(Math.min(...refusals)).toBeGreaterThan(0)
  })
})

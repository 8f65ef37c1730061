import { describe, expect, it } from 'vitest'
import type { PointName } from '../../services/processor/delivery/ports.ts'
import { Random } from '../simulation/random.ts'
import { crashRound } from '../torture/rounds.ts'
import { print, printAgainWhenFailed, seed, sized, suiteAgain } from '../torture/size.ts'
import { openStagedRun } from '../torture/staged.ts'

/** Each point with how often it may be passed before the kill: what every run comes to. */
const points: Readonly<Record<PointName, number>> = {
  'lease-taken': 1,
  'epoch-inserted': 1,
  'read-back': 20,
  opening: 60,
  'alerts-sent': 30,
  'lease-checked': 15,
  'mid-body': 15,
  'rows-stored': 5,
  acknowledged: 5,
  committed: 5,
  renewing: 3,
  draining: 3,
}
const rounds = sized(1, 3)
const names = Object.keys(points) as PointName[]
/** Two stages side by side: most of it is waiting. */
const halves = [names.filter((_, i) => i % 2 === 0), names.filter((_, i) => i % 2 === 1)]

describe('a processor killed at a named point', { timeout: 900_000 }, () => {
  printAgainWhenFailed(suiteAgain('crash-points.test.ts'))

  it.concurrent.each(halves)('leaves nothing lost and nothing doubled: %s, %s, %s, %s, %s, %s', async (...half) => {
    await using run = await openStagedRun()
    const random = new Random(seed + half.length)
    const killed: string[] = []
    for (let round = 0; round < rounds; round += 1) {
      for (const point of half) {
        const at = `${point}:${random.integer(1, points[point])}`
        expect({ at, exits: (await crashRound(run, at)).exits }).toEqual({ at, exits: [0] })
        killed.push(at)
      }
    }
    const { table, violations } = await run.judge()
    print(`seed ${seed}: killed at ${killed.join(', ')}\n${JSON.stringify(table)}`)
    expect(violations).toEqual([])
    expect(killed.length).toBe(half.length * rounds)
  })
})

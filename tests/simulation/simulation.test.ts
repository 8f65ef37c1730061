import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bugs } from './bugs.ts'
import { describeFailure, report, runSeeds, totalFaults } from './run-seeds.ts'
import { simulate } from './simulate.ts'

interface KeptSeed {
  readonly seed: number
  readonly found: string
  /** What was wrong then, planted again; null where this seed does not show it any more and another test does. */
  readonly bug: string | null
}

const kept = JSON.parse(readFileSync(new URL('../seeds.json', import.meta.url), 'utf8')) as readonly KeptSeed[]
const seedsUpTo = (last: number): readonly number[] => Array.from({ length: last }, (_, i) => i + 1)
const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Every run has so many; more by hand: `npm run simulate -- --seeds 1..100000`. */
const seedCount = 5_000
const leastFaults = 250_000
const bugSeeds = 50

describe('delivery under a virtual clock', { timeout: 900_000 }, () => {
  it('breaks no rule for the seeds that have found something before', async () => {
    const result = await runSeeds({ seeds: kept.map(({ seed }) => seed), bug: null, untilFound: false })
    expect(result.failed.map((each) => describeFailure(each, null))).toEqual([])
  })

  it.each(kept.filter(({ bug }) => bug !== null))('still finds by seed $seed: $found', async ({ seed, bug }) => {
    const { failed } = await runSeeds({ seeds: [seed], bug, untilFound: false })
    expect(failed, 'the models have changed: find it anew').toHaveLength(1)
  })

  it('does the same for the same seed, byte for byte', async () => {
    for (const seed of [3, 57, 340]) {
      const [first, second] = [await simulate({ seed, isTraced: true }), await simulate({ seed, isTraced: true })]
      expect(first.trace.length).toBeGreaterThan(100)
      expect(second.trace.join('\n')).toBe(first.trace.join('\n'))
    }
  })

  it('loses, doubles and reorders nothing whatever fails', async () => {
    const startedMs = performance.now()
    const result = await runSeeds({ seeds: seedsUpTo(seedCount), bug: null, untilFound: false })
    print(report(result, null))
    print(`${(seedCount / ((performance.now() - startedMs) / 1000)).toFixed(1)} seeds/s`)
    expect(result.failed.map((each) => describeFailure(each, null))).toEqual([])
    expect(result.runs).toBe(seedCount)
    expect(totalFaults(result)).toBeGreaterThanOrEqual(leastFaults)
    expect(Object.keys(result.faults).length).toBeGreaterThanOrEqual(12)
  })

  it.each(bugs.filter(({ isRare }) => isRare !== true).map(({ name }) => name))(
    'finds the planted bug: %s',
    async (bug) => {
      const result = await runSeeds({ seeds: seedsUpTo(bugSeeds), bug, untilFound: true })
      const [first] = result.failed
      print(first === undefined ? `${bug}: not found` : `${bug}: ${describeFailure(first, bug)}`)
      expect(first, `not found in ${bugSeeds} seeds`).toBeDefined()
    },
  )
})

import { describe, expect, it } from 'vitest'
import { report, totalFaults } from '../torture/report.ts'
import { isNightly, print, printAgainWhenFailed, seed, sized } from '../torture/size.ts'
import { torture } from '../torture/torture.ts'

const minutes = sized(1.5, 10)
const least = sized({ faults: 60, kinds: 12 }, { faults: 400, kinds: 20 })

const command = `npm run strikeflow -- torture --minutes ${minutes} --seed ${seed}`

describe('a whole stack under torture', { timeout: 1_800_000 }, () => {
  printAgainWhenFailed(command)

  it(`keeps its promises for ${minutes} minutes`, async () => {
    const result = await torture({
      seed,
      durationMs: minutes * 60_000,
      leastFaults: least.faults,
      isKept: false,
      say: isNightly ? print : () => {},
    })
    print(report(result, command))
    if (result.violations.length > 0) print(result.notes.join('\n'))
    expect(result.violations).toEqual([])
    expect(totalFaults(result)).toBeGreaterThanOrEqual(least.faults)
    expect(result.faults.size).toBeGreaterThanOrEqual(least.kinds)
  })
})

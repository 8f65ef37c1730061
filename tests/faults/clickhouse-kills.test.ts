import { loadavg } from 'node:os'
import { describe, expect, it } from 'vitest'
import { Random } from '../simulation/random.ts'
import { type Layout, smallChains } from '../torture/chains.ts'
import { killClickHouse } from '../torture/clickhouse-kills.ts'
import { print, printAgainWhenFailed, seed, sized, suiteAgain } from '../torture/size.ts'

interface Run {
  readonly name: string
  readonly layout: Layout
  readonly kills: number
  readonly intervalMs: number
}

/** Up to five at the same time: most of it is waiting for the engine to open. */
const runs: readonly Run[] = sized<readonly Run[]>(
  [
    { name: 'small flushes', layout: smallChains, kills: 20, intervalMs: 1_000 },
    { name: 'larger flushes', layout: { strikes: 42, weeks: 1 }, kills: 20, intervalMs: 1_000 },
    { name: 'flushes over two partitions of a table', layout: { strikes: 42, weeks: 2 }, kills: 20, intervalMs: 1_000 },
  ],
  // Nothing is merged, which would hide what was written twice: 125 kills on one stack leave it with thousands of parts, and slow.
  [1, 2].flatMap((weeks) =>
    [42, 420].flatMap((strikes) =>
      Array.from({ length: 5 }, (_, i) => ({
        // Short, or the title is cut and cannot be asked for (-t).
        name: `${strikes * 48} rows over ${weeks} partition(s), ${i + 1} of 5`,
        layout: { strikes, weeks: weeks as 1 | 2 },
        kills: 25,
        intervalMs: strikes > 100 ? 2_500 : 1_000,
      })),
    ),
  ),
)

describe('the engine of ClickHouse killed while it writes', { timeout: sized(1_800_000, 2 * 3_600_000) }, () => {
  printAgainWhenFailed(suiteAgain('clickhouse-kills.test.ts'))

  const seeded = runs.map((run, i) => ({ ...run, random: new Random(seed + i) }))
  it.concurrent.each(seeded)('loses, doubles and tears nothing in $name, $kills times', async ({ name, ...run }) => {
    const { table, violations, midFlush, slowestReopenMs } = await killClickHouse(run)
    print(
      `${name}: seed ${seed}, ${run.kills} kills, ${midFlush} of them between rows and commit rows; slowest start ${Math.round(slowestReopenMs)} ms (load ${loadavg()[0]?.toFixed(1)})\n${JSON.stringify(table)}`,
    )
    expect(violations).toEqual([])
    expect(table.stored).toBeGreaterThan(run.kills)
    expect(midFlush).toBeGreaterThan(0)
  })
})

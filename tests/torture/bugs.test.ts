import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { bugs, planted } from './bugs.ts'
import { crashRound, pauseRound } from './rounds.ts'
import { print, sized } from './size.ts'
import { openStagedRun } from './staged.ts'

const shown = bugs.filter(({ shownBy }) => shownBy !== null)
/** The rest at night; the simulation has them all on every run. */
const tried = sized(shown.slice(0, 1), shown)

/** Every one of them on every run: what cannot be planted any more shows nothing. */
it.each(bugs)('has a place for the planted bug: $name', async ({ file, changes }) => {
  const source = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8')
  for (const [from] of changes) expect(source.split(from)).toHaveLength(2)
})

describe('the checker', { timeout: 300_000 }, () => {
  it.each(tried)('finds the planted bug: $name', async ({ name, shownBy, breaks }) => {
    await using run = await openStagedRun()
    if (shownBy !== null && 'crashAt' in shownBy) await crashRound(run, shownBy.crashAt, planted(name))
    if (shownBy !== null && 'pauseAt' in shownBy) await pauseRound(run, shownBy.pauseAt, 'bug', planted(name))
    const { violations } = await run.judge()
    const counts = Map.groupBy(violations, ({ rule }) => rule)
    const first = counts.get(breaks)?.[0]?.text ?? 'none'
    print(`${name}: ${[...counts].map(([rule, { length }]) => `${length} ${rule}`).join(', ')}; of ${breaks}: ${first}`)
    expect([...counts.keys()]).toContain(breaks)
  })
})

import { describe, expect, it } from 'vitest'
import { bugs, planted } from '../torture/bugs.ts'
import { crashRound, pauseRound } from '../torture/rounds.ts'
import { print, sized } from '../torture/size.ts'
import { openStagedRun } from '../torture/staged.ts'

const shown = bugs.filter(({ shownBy }) => shownBy !== null)
/** A night plants all of them; the simulation plants all of them on every run. */
const tried = sized(shown.slice(0, 1), shown)

describe('the checker', () => {
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

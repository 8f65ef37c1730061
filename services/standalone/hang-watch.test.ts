import { describe, expect, it } from 'vitest'
import { CpuWait, hangLimits, HangWatch } from './hang-watch.ts'

const limits = hangLimits(20)

/** Looks of one second each. */
function silentFor(seconds: number, waitedMs = 0, watch = new HangWatch(1_000)): HangWatch {
  for (let second = 0; second < seconds; second += 1) watch.look(1_000, waitedMs)
  return watch
}

describe('a hang', () => {
  it('is a silence of the limit, and not a shorter one', () => {
    expect(silentFor(19).hangs(limits)).toBe(false)
    expect(silentFor(20).hangs(limits)).toBe(true)
    expect(silentFor(20).silentSeconds).toBe(20)
  })

  it('is over with a sign of life', () => {
    const watch = silentFor(19)
    watch.alive()
    expect(silentFor(19, 0, watch).hangs(limits)).toBe(false)
  })

  it('is none while the process waits for a CPU, as under a limit of a tenth', () => {
    expect(silentFor(45, 900).hangs(limits)).toBe(false)
    // A loop that spins under the same limit is found nevertheless, once it has had 5 s.
    expect(silentFor(51, 900).hangs(limits)).toBe(true)
  })

  it('is none while the supervisor itself does not run', () => {
    const watch = silentFor(5)
    watch.look(8 * 3_600_000, 0)
    expect(watch.hangs(limits)).toBe(false)
    expect(watch.silentSeconds).toBe(6)
  })

  it('is none because of a wait that is told only when it ends', () => {
    const watch = silentFor(19)
    watch.look(1_000, 18_000)
    expect(watch.hangs(limits)).toBe(false)
    expect(silentFor(4, 0, watch).hangs(limits)).toBe(true)
  })
})

describe('the wait for a CPU', () => {
  it('is none of a process that is gone', () => {
    expect(new CpuWait(99_999_999, 'main').sinceLastMs()).toBe(0)
    expect(new CpuWait(99_999_999, 'all').sinceLastMs()).toBe(0)
  })

  it.runIf(process.platform === 'linux')('is short of a process that sleeps', () => {
    const wait = new CpuWait(process.pid, 'all')
    expect(wait.sinceLastMs()).toBeGreaterThanOrEqual(0)
  })
})

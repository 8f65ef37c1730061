import { describe, expect, it } from 'vitest'
import { createVirtualTimers } from '../../../tests/support/virtual-timers.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { createLogger } from '../../../shared/runtime/logger.ts'
import { WriteFailure } from './ports.ts'
import { Setbacks } from './setbacks.ts'

const lost = new WriteFailure('lost', new Error('no answer'))

function stage() {
  const timers = createVirtualTimers()
  const log = createLogger({ service: 'test', level: 'silent' })
  const setbacks = new Setbacks({ timers, log, random: () => 1, observer: { storeFailed: () => {} } })
  /** Fails as soon as it is taken; returns how long it then waits. */
  const failAgain = async (partition: number): Promise<number> => {
    await timers.advance(Math.max(0, setbacks.waitMs(partition)))
    setbacks.taken(partition)
    setbacks.note([partition], lost)
    return setbacks.waitMs(partition)
  }
  return { timers, setbacks, failAgain }
}

describe('setbacks', () => {
  it('keep showing and holding back a partition that fails while others are written', async () => {
    const { setbacks, failAgain } = stage()
    const waits: number[] = []
    for (let i = 0; i < 8; i += 1) {
      waits.push(await failAgain(3))
      setbacks.over([1, 2])
      expect(setbacks.problems()).toEqual(['partition 3 begins again: no answer'])
      expect(setbacks.waitMs(1)).toBe(0)
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
    setbacks.over([3])
    expect(setbacks.problems()).toEqual([])
    expect(await failAgain(3)).toBe(100)
  })

  it('are over when a partition that was taken again has nothing to write and does not fail', async () => {
    const { timers, setbacks } = stage()
    setbacks.note([3, 4], lost)
    await timers.advance(60_000)
    expect(setbacks.problems()).toEqual(['partition 3 4 begins again: no answer'])
    setbacks.taken(3)
    setbacks.keep(new Set([3]))
    await timers.advance(20_000)
    expect(setbacks.problems()).toEqual([])
  })

  it('pass for whatever the store says, slowly where no repetition helps', () => {
    const { setbacks } = stage()
    expect(setbacks.note([0], new StrikeflowError('store', 'no such table'))).toBe(true)
    expect([setbacks.problems(), setbacks.waitMs(0)]).toEqual([['partition 0 stopped: no such table'], 10_000])
  })

  it('are not for faults of the program or of the bus that no new beginning mends', () => {
    const { setbacks } = stage()
    expect(setbacks.note([0], new TypeError('undefined'))).toBe(false)
    expect(setbacks.note([0], new StrikeflowError('bus', 'no such bucket'))).toBe(false)
  })
})

import { describe, expect, it } from 'vitest'
import { encodeJson } from '../../shared/bus/messages.ts'
import { maxMessageBytes } from '../../shared/bus/publisher.ts'
import { PassLog } from './pass-log.ts'
import type { PassItem } from './providers/provider.ts'
import type { StoredAck } from './publish.ts'
import { createSchedule, UnchangedSlots } from './schedule.ts'

const minute = 60_000
const at = (time: string): number => Date.parse(`2026-11-16T${time}Z`)
const items: readonly PassItem[] = ['SPY', 'IWM'].map((underlying) => ({
  underlying,
  fetch: () => Promise.reject(new Error('not here')),
}))
const provider = { exchangeZone: 'America/New_York', schedule: { intervalMs: minute, delayMs: 15 * minute } }
const scheduleOf = (own: Readonly<Record<string, number>> = {}) => {
  const schedule = createSchedule(provider, new Map(Object.entries(own)))
  if (schedule === null) throw new Error('no schedule')
  return schedule
}

describe('the schedule', () => {
  it('is none where the provider follows no plan', () => {
    expect(createSchedule({ exchangeZone: 'America/New_York' }, new Map())).toBeNull()
  })

  it('names the slot a fetch is for by its pass, the delay taken off, and none outside the sessions', () => {
    expect(scheduleOf().slotOf('SPY', at('15:00:40'))).toEqual({ atMs: at('14:45:00'), intervalMs: minute })
    expect(scheduleOf().slotOf('SPY', at('14:40:00'))).toBeNull()
    expect(scheduleOf().slotOf('SPY', at('21:14:59'))).toEqual({ atMs: at('20:59:00'), intervalMs: minute })
    expect(scheduleOf().slotOf('SPY', at('21:15:00'))).toBeNull()
  })

  it('lets an underlying with an interval of its own sit out the passes in between, one pass a slot to the close', () => {
    const schedule = scheduleOf({ IWM: 5 * minute })
    const passes = Array.from({ length: 480 }, (_, i) => at('13:30:20') + i * minute)
    const due = passes.map((startedAtMs) => schedule.due(items, startedAtMs).map(({ underlying }) => underlying))
    expect(due.every((names) => names.includes('SPY'))).toBe(true)
    const slots = passes.filter((_, i) => due[i]?.includes('IWM')).map((ms) => schedule.slotOf('IWM', ms)?.atMs)
    const within = slots.filter((slot) => slot !== undefined)
    expect(within).toHaveLength(78)
    expect(new Set(within).size).toBe(78)
    expect([within[0], within.at(-1)]).toEqual([at('14:30:00'), at('20:55:00')])
  })
})

describe('unchanged slots', () => {
  it('are counted once each until the next snapshot takes the count', () => {
    const unchanged = new UnchangedSlots()
    for (const slot of [1, 1, 2, 3, 3]) unchanged.repeated('cboe/SPY', slot)
    unchanged.repeated('cboe/IWM', 1)
    expect([unchanged.taken('cboe/SPY'), unchanged.taken('cboe/SPY'), unchanged.taken('cboe/IWM')]).toEqual([3, 0, 1])
  })
})

describe('the log of a pass', () => {
  const logOf = () => new PassLog({ instance: 'c', boot: 'b', live: true, schedule: scheduleOf() })
  const acked = (streamSeq: number, duplicate = false): Promise<StoredAck> => Promise.resolve({ streamSeq, duplicate })

  it('reports every item, the numbers acknowledged, and how many of them the stream had already', async () => {
    const log = logOf()
    expect(log.begin(['A', 'B', 'C', 'D'], at('15:00:00'))).toBe(true)
    log.sent('A', 1, acked(70))
    log.sent('B', 2, acked(12, true))
    log.done('C', { kind: 'repeated', contracts: 1, rejectsByReason: {} })
    log.done('D', { kind: 'refused', reason: 'timeout', detail: 'x'.repeat(900) })
    await Promise.resolve()
    expect(log.report('cboe', 'scan')).toMatchObject({
      scanId: 'scan',
      published: [
        ['A', 1, 70],
        ['B', 0, 12],
      ],
      repeated: ['C'],
      refused: [['D', 'timeout', 'x'.repeat(200)]],
      lastAcked: 2,
      duplicates: 1,
      underlyings: ['A', 'B', 'C', 'D'],
      previousStartedAtMs: null,
      ended: false,
    })
  })

  it('begins each pass empty, and names the one before', async () => {
    const log = logOf()
    log.begin(['A'], at('15:00:00'))
    log.sent('A', 1, acked(70))
    await Promise.resolve()
    log.report('cboe', 'first')
    expect(log.begin(['A', 'B'], at('15:01:00'))).toBe(false)
    const second = log.report('cboe', 'second')
    expect(second).toMatchObject({ published: [], lastAcked: 1, previousStartedAtMs: at('15:00:00') })
    expect(second).toMatchObject({
      plannedFromMs: at('15:00:00'),
      startedAtMs: at('15:01:00'),
      underlyings: ['A', 'B'],
    })
    expect(log.ended('cboe')).toMatchObject({ ended: true, scanId: null, lastAcked: 1 })
  })

  it('stays one message though every chain of a large universe is refused', () => {
    const log = logOf()
    const names = Array.from({ length: 10_000 }, (_, i) => `U${i}`)
    log.begin(names, at('15:00:00'))
    for (const name of names) log.done(name, { kind: 'refused', reason: 'unreachable', detail: 'x'.repeat(200) })
    expect(encodeJson(log.report('cboe', 'scan')).length).toBeLessThan(maxMessageBytes)
  })

  it('has no end to tell where it never began', () => {
    expect(logOf().ended('cboe')).toBeNull()
  })
})

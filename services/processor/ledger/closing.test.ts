import { describe, expect, it } from 'vitest'
import type { CollectorBoot } from '../../../shared/store/queries/ledger.ts'
import { closeSlots, groupsOf, type PlanOptions, plansOf, slotsToClose } from './closing.ts'

const minute = 60_000
const hour = 60 * minute
const at = (time: string): number => Date.parse(`2026-11-16T${time}:00Z`)
const clock = (ms: number): string => new Date(ms).toISOString().slice(5, 16)

const boot = (known: Partial<CollectorBoot>): CollectorBoot => ({
  provider: 'cboe',
  instance: 'collector',
  boot: 'a',
  live: true,
  zone: 'America/New_York',
  intervalMs: minute,
  delayMs: 0,
  underlyings: ['SPY'],
  ownIntervalsMs: {},
  plannedFromMs: at('15:00'),
  lastStartedMs: at('15:10'),
  lastAcked: 0,
  duplicates: 0,
  ended: false,
  reportedAtMs: 0,
  ...known,
})

const options = (nowMs: number): PlanOptions => ({ nowMs, graceMs: minute, horizonMs: 7 * 24 * hour })

/** First and last slot that each start of the collector would close, and how many. */
function closes(boots: readonly CollectorBoot[], nowMs: number): readonly string[] {
  return plansOf(boots, options(nowMs)).map((plan) => {
    const slots = groupsOf(plan.boot).flatMap((group) => slotsToClose(plan, group, null, Infinity))
    return slots.length === 0
      ? 'none'
      : `${clock(slots[0]?.atMs ?? 0)} ${clock(slots.at(-1)?.atMs ?? 0)} ${slots.length}`
  })
}

describe('the slots a plan closes', () => {
  it('go on by the wall where the provider is live, though its collector is dead', () => {
    expect(closes([boot({})], at('15:31'))).toEqual(['11-16T15:00 11-16T15:29 30'])
  })

  it('are over an interval and the grace after their start, not a moment before', () => {
    expect(closes([boot({ plannedFromMs: at('15:20') })], at('15:22') - 1)).toEqual(['none'])
    expect(closes([boot({ plannedFromMs: at('15:20') })], at('15:22'))).toEqual(['11-16T15:20 11-16T15:20 1'])
  })

  it('begin with the one the first pass fell in, and lie the delay behind the clock', () => {
    const late = boot({ plannedFromMs: at('15:00') + 30_000, delayMs: 15 * minute })
    expect(closes([late], at('15:03'))).toEqual(['11-16T14:45 11-16T14:46 2'])
  })

  it('go on only with the passes of a market that is not the wall’s', () => {
    expect(closes([boot({ live: false })], at('23:00'))).toEqual(['11-16T15:00 11-16T15:08 9'])
  })

  it('end with a provider that has ended, its last pass included', () => {
    expect(closes([boot({ ended: true })], at('23:00'))).toEqual(['11-16T15:00 11-16T15:10 11'])
  })

  it('of a start that died are those up to the next start of the instance', () => {
    const second = boot({ boot: 'b', plannedFromMs: at('15:40'), lastStartedMs: at('15:45') })
    expect(closes([boot({}), second], at('15:46'))).toEqual(['11-16T15:00 11-16T15:39 40', '11-16T15:40 11-16T15:44 5'])
    const simulated = [boot({ live: false }), { ...second, live: false }]
    expect(closes(simulated, at('23:00'))).toEqual(['11-16T15:00 11-16T15:39 40', '11-16T15:40 11-16T15:43 4'])
  })

  it('of a market that was set back end where it had come to', () => {
    const again = boot({ live: false, boot: 'b', plannedFromMs: at('15:05'), lastStartedMs: at('15:20') })
    expect(closes([boot({ live: false }), again], 0)[0]).toBe('11-16T15:00 11-16T15:10 11')
  })

  it('stop some days after the last sign of life', () => {
    const [all] = closes([boot({})], at('15:00') + 30 * 24 * hour)
    expect(all).toBe('11-16T15:00 11-23T15:09 1960')
  })

  it('skip nights, weekends and holidays', () => {
    const over = boot({
      plannedFromMs: Date.parse('2026-11-25T20:58:00Z'),
      lastStartedMs: Date.parse('2026-11-25T20:58:00Z'),
    })
    expect(closes([over], Date.parse('2026-11-27T14:33:00Z'))).toEqual(['11-25T20:58 11-27T14:31 4'])
  })

  it('are by interval where an underlying has one of its own', () => {
    const slow = boot({ underlyings: ['SPY', 'IWM'], ownIntervalsMs: { IWM: 5 * minute } })
    expect(groupsOf(slow)).toEqual([
      { intervalMs: minute, underlyings: ['SPY'] },
      { intervalMs: 5 * minute, underlyings: ['IWM'] },
    ])
  })
})

describe('closing', () => {
  const [plan] = plansOf([boot({ underlyings: ['SPY', 'QQQ'] })], options(at('15:12')))
  if (plan === undefined) throw new Error('no plan')
  const [group] = groupsOf(plan.boot)
  if (group === undefined) throw new Error('no group')
  const slots = slotsToClose(plan, group, at('15:06'), Infinity)

  it('makes missing only that of which nothing is known, and tells where a run begins', () => {
    const known = [
      { underlying: 'SPY', slotMs: at('15:06'), state: 'missing', reason: 'collector_down' },
      { underlying: 'QQQ', slotMs: at('15:08'), state: 'unchanged', reason: '' },
      { underlying: 'SPY', slotMs: at('15:08'), state: 'pending', reason: '' },
    ] as const
    const { facts, beginnings } = closeSlots(plan, group, slots, known)
    const lines = (list: typeof facts) =>
      list.map(({ underlying, slotMs }) => `${underlying} ${clock(slotMs).slice(6)}`)
    expect(lines(facts)).toEqual(['SPY 15:07', 'QQQ 15:07', 'SPY 15:09', 'QQQ 15:09', 'SPY 15:10', 'QQQ 15:10'])
    expect(lines(beginnings)).toEqual(['QQQ 15:07', 'SPY 15:09', 'QQQ 15:09'])
    expect(new Set(facts.map(({ state, reason }) => `${state} ${reason}`))).toEqual(new Set(['missing collector_down']))
  })

  it('counts nothing of an unpublished year as missing', () => {
    const guess = slots.map((slot) => ({ ...slot, coverage: 'unpublished' as const }))
    expect(closeSlots(plan, group, guess, []).facts).toEqual([])
  })
})

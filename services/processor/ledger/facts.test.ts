import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { gapReasons, rankOf } from '../../../shared/model/gap.ts'
import { type PassReport, passReportSchema } from '../../../shared/model/pass-report.ts'
import type { CommittedSlot, PendingSlot } from '../../../shared/store/queries/ledger.ts'
import { passReportOf } from '../../../tests/support/ledger.ts'
import { factOfCommit, unbroken } from './facts-of-commits.ts'
import { factsOfReport } from './facts-of-report.ts'
import { type Evidence, settle } from './losses.ts'
import type { SlotFact } from './slot-rows.ts'

const minute = 60_000
const at = (time: string): number => Date.parse(`2026-11-16T${time}:00Z`)
const line = ({ underlying, slotMs, state, reason }: SlotFact): string =>
  `${underlying} ${new Date(slotMs).toISOString().slice(11, 16)} ${state} ${reason}`.trim()

const report = (known: Partial<PassReport>): PassReport =>
  passReportOf({
    live: true,
    plannedFromMs: at('15:00'),
    startedAtMs: at('15:05') + 20_000,
    previousStartedAtMs: at('15:04') + 20_000,
    underlyings: ['SPY', 'QQQ'],
    ...known,
  })

describe('a pass report', () => {
  it('names no time that no clock can show', () => {
    expect(passReportSchema.safeParse(report({})).success).toBe(true)
    for (const startedAtMs of [9e15, -1])
      expect(passReportSchema.safeParse(report({ startedAtMs })).success).toBe(false)
  })

  it('names no interval that the tables cannot hold', () => {
    for (const wrong of [{ intervalMs: 2 ** 32 }, { delayMs: 2 ** 32 }, { ownIntervalsMs: { SPY: 2 ** 32 } }])
      expect(passReportSchema.safeParse(report(wrong)).success).toBe(false)
  })

  it('has texts and lists of a size that a collector sends', () => {
    const long = 'x'.repeat(300)
    const wrongs = [
      { instance: long },
      { exchangeZone: long },
      { underlyings: [long] },
      { repeated: Array(100_001).fill('A') },
    ]
    for (const wrong of wrongs) expect(passReportSchema.safeParse(report(wrong)).success).toBe(false)
  })

  it('says of each chain what became of its slot', () => {
    const facts = factsOfReport(
      report({ published: [['SPY', 7, 70]], repeated: ['QQQ'], refused: [['IWM', 'timeout', 'no answer']] }),
    )
    expect(facts.map(line)).toEqual(['SPY 15:05 pending', 'QQQ 15:05 unchanged', 'IWM 15:05 missing timeout'])
    expect(facts[0]?.streamSeq).toBe(70)
    expect(facts[2]?.detail).toBe('no answer')
  })

  it('means the slot its pass was due in, the delay taken off, however long it took', () => {
    expect(factsOfReport(report({ delayMs: 15 * minute, repeated: ['SPY'] })).map(line)).toEqual([
      'SPY 14:50 unchanged',
    ])
  })

  it('names the slots that no pass of this start began in', () => {
    const slow = report({ previousStartedAtMs: at('15:02') + 59_000, startedAtMs: at('15:05') })
    expect(factsOfReport(slow).map(line)).toEqual([
      'SPY 15:03 missing pass_skipped',
      'QQQ 15:03 missing pass_skipped',
      'SPY 15:04 missing pass_skipped',
      'QQQ 15:04 missing pass_skipped',
    ])
    expect(factsOfReport(report({ previousStartedAtMs: at('15:04'), startedAtMs: at('15:05') }))).toEqual([])
  })

  it('misses the rest of a session when the next pass comes after the close, and nothing of the night', () => {
    const evening = report({ previousStartedAtMs: at('20:57'), startedAtMs: at('23:00'), underlyings: ['SPY'] })
    expect(factsOfReport(evening).map(line)).toEqual([
      'SPY 20:58 missing pass_skipped',
      'SPY 20:59 missing pass_skipped',
    ])
  })

  it('does not expect an underlying in between that is due less often', () => {
    const facts = factsOfReport(
      report({
        previousStartedAtMs: at('15:03'),
        startedAtMs: at('15:11'),
        underlyings: ['IWM'],
        ownIntervalsMs: { IWM: 5 * minute },
        repeated: ['IWM'],
      }),
    )
    expect(facts.map(line)).toEqual(['IWM 15:10 unchanged', 'IWM 15:05 missing pass_skipped'])
  })

  it('says nothing of slots outside the sessions, nor before the first pass', () => {
    expect(
      factsOfReport(report({ startedAtMs: at('22:00'), previousStartedAtMs: at('21:59'), repeated: ['SPY'] })),
    ).toEqual([])
    expect(factsOfReport(report({ scanId: null, repeated: ['SPY'] }))).toEqual([])
  })

  it('makes nothing skipped in a year whose sessions are a guess', () => {
    const guess = report({
      startedAtMs: Date.parse('2029-01-03T15:10:00Z'),
      previousStartedAtMs: Date.parse('2029-01-03T15:00:00Z'),
    })
    expect(factsOfReport(guess)).toEqual([])
  })
})

const commit = (known: Partial<CommittedSlot>): CommittedSlot => ({
  partition: 0,
  streamSeq: 1,
  previousSeq: 0,
  outcome: 'stored',
  provider: 'cboe',
  underlying: 'SPY',
  contentUnchanged: false,
  zone: 'America/New_York',
  slotMs: at('15:05'),
  intervalMs: minute,
  lagMs: 3_000,
  ...known,
})

describe('a commit row', () => {
  it.each([
    ['a stored chain', {}, 'SPY 15:05 delivered'],
    ['one received at the end of the grace', { lagMs: 2 * minute }, 'SPY 15:05 delivered'],
    ['one received after the grace', { lagMs: 2 * minute + 1 }, 'SPY 15:05 late'],
    ['content that did not change', { contentUnchanged: true }, 'SPY 15:05 unchanged'],
    ['a copy of what was stored', { outcome: 'duplicate' }, 'SPY 15:05 unchanged'],
    ['a dead letter', { outcome: 'dead-lettered' }, null],
    ['a chain of no slot', { slotMs: 0, intervalMs: 0 }, null],
  ] as const)('of %s', (_, known, expected) => {
    const fact = factOfCommit(commit(known), minute)
    expect(fact === null ? null : line(fact)).toBe(expected)
  })

  it('is read in the unbroken order of its partition, and behind a break not yet', () => {
    const rows = [
      commit({ streamSeq: 2, previousSeq: 0 }),
      commit({ streamSeq: 2, previousSeq: 0 }),
      commit({ streamSeq: 5, previousSeq: 2 }),
      commit({ streamSeq: 9, previousSeq: 8 }),
      commit({ partition: 3, streamSeq: 4, previousSeq: 1 }),
    ]
    const { rows: followed, cursors } = unbroken(rows, { 3: 1 }, 1)
    expect(followed.map(({ partition, streamSeq }) => `${partition}/${streamSeq}`)).toEqual(['0/2', '0/5', '3/4'])
    expect(cursors).toEqual({ 0: 5, 3: 4 })
  })

  it('is read from where its incarnation begins, not from the beginning of the stream', () => {
    const rows = [commit({ streamSeq: 9, previousSeq: 7 }), commit({ partition: 1, streamSeq: 4, previousSeq: 0 })]
    expect(unbroken(rows, {}, 1, 7).cursors).toEqual({ 0: 9 })
    expect(unbroken(rows, {}, 1).cursors).toEqual({ 1: 4 })
  })

  it('is read past a break that nobody can fill any more', () => {
    const rows = [commit({ streamSeq: 5, previousSeq: 3 }), commit({ streamSeq: 9, previousSeq: 8 })]
    expect(unbroken(rows, { 0: 2 }, 3).cursors).toEqual({ 0: 2 })
    expect(unbroken(rows, { 0: 2 }, 4).cursors).toEqual({ 0: 5 })
    expect(unbroken(rows, { 0: 2 }, 9).cursors).toEqual({ 0: 9 })
  })
})

const pending: PendingSlot = {
  provider: 'cboe',
  underlying: 'SPY',
  slotMs: at('15:05'),
  sessionDay: 20_773,
  intervalMs: minute,
  coverage: 'published',
  streamSeq: 50,
  storedAtMs: at('15:06'),
}
const evidence = (known: Partial<Evidence>): Evidence => ({
  commits: new Map(),
  createdMs: at('09:00'),
  firstSeq: 10,
  lastSeq: 100,
  gone: new Set(),
  ...known,
})

describe('a message that was acknowledged', () => {
  it.each([
    ['waits in the stream', {}, null],
    ['is deleted out of the stream', { gone: new Set([50]) }, 'SPY 15:05 missing publisher_hole'],
    ['lies before the beginning of the stream', { firstSeq: 51 }, 'SPY 15:05 missing retention'],
    ['lies behind its end: the stream went back', { lastSeq: 49 }, 'SPY 15:05 missing publisher_hole'],
    ['is stored', { commits: new Map([[50, commit({})]]), firstSeq: 51 }, 'SPY 15:05 delivered'],
    [
      'was stored for an earlier slot',
      { commits: new Map([[50, commit({ slotMs: at('15:01') })]]) },
      'SPY 15:05 unchanged',
    ],
    [
      'is of a stream that was made anew, with a chain of its kind in its place',
      { commits: new Map([[50, commit({ slotMs: at('15:09') })]]), createdMs: at('15:08') },
      'SPY 15:05 missing publisher_hole',
    ],
    [
      'is a dead letter',
      { commits: new Map([[50, commit({ outcome: 'dead-lettered', underlying: '', provider: '' })]]) },
      'SPY 15:05 missing dead_lettered',
    ],
    [
      'has another chain’s place in a stream made anew',
      { commits: new Map([[50, commit({ underlying: 'QQQ' })]]), gone: new Set([50]) },
      'SPY 15:05 missing publisher_hole',
    ],
  ] as const)('and %s', (_, known, expected) => {
    const fact = settle(pending, evidence(known), minute)
    expect(fact === null ? null : line(fact)).toBe(expected)
  })
})

describe('ranks', () => {
  it('let what is known of a chain stand over what is not, and a stored chain over all', () => {
    const order = [
      rankOf('missing', 'collector_down'),
      rankOf('missing', 'pass_skipped'),
      rankOf('missing', 'timeout'),
      rankOf('pending', ''),
      rankOf('missing', 'publisher_hole'),
      rankOf('unchanged', ''),
      rankOf('late', ''),
      rankOf('delivered', ''),
    ]
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(new Set(order).size).toBe(order.length)
  })

  test.prop([
    fc.shuffledSubarray(
      gapReasons.map((reason) => rankOf('missing', reason)),
      { minLength: 2 },
    ),
  ])('never let a reason stand over a chain that came', (ranks) => {
    expect(Math.max(...ranks)).toBeLessThan(rankOf('unchanged', ''))
  })
})

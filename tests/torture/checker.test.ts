import { describe, expect, it } from 'vitest'
import { checkedTables } from '../support/checksum.ts'
import { check, type CommitRow, type History } from './checker.ts'
import { promises } from './history.ts'

const commit = (seq: number, change: Partial<CommitRow> = {}): CommitRow => ({
  incarnation: 'one',
  partition: 0,
  seq,
  previousSeq: seq - 1,
  messageId: `m${seq}`,
  outcome: 'stored',
  reason: '',
  underlying: 'SPY',
  epoch: 1,
  storedAtMs: seq * 10,
  ...change,
})

const ids = ['m1', 'm2', 'm3', 'm4']
const sound: History = {
  attempted: new Map([['SPY', ids]]),
  acked: new Set(ids),
  extra: new Map(),
  commits: [1, 2, 3, 4].map((seq) => commit(seq)),
  rowProblems: [],
  takings: [{ partition: 0, epoch: 1, takenAtMs: 0 }],
  alertRows: new Map([['alert', { underlying: 'SPY', times: 1 }]]),
  alertsPublished: new Map([['alert', { underlying: 'SPY', times: 2 }]]),
  deadLetters: new Set(),
  archived: new Map(ids.map((id) => [id, 1])),
  archiveProblems: [],
  sums: new Map([['alerts_v1 SPY', '1 rows']]),
  reference: { sums: new Map([['alerts_v1 SPY', '1 rows']]), alerts: new Map([['alert', 'SPY']]) },
  violations: [],
}

const copied = (seq: number, outcome: CommitRow['outcome']): CommitRow => commit(seq, { messageId: 'copy', outcome })

const rulesOf = (change: Partial<History>): readonly string[] =>
  check({ ...sound, ...change }).violations.map(({ rule }) => rule)

describe('the checker', () => {
  it('has nothing to say about a sound run, and counts every message once', () => {
    const { table, violations } = check(sound)
    expect(violations).toEqual([])
    expect(table).toMatchObject({ attempted: 4, acked: 4, stored: 4, recovered: 0, alertRows: 1, archived: 4 })
  })

  it.each([
    ['prefix', 1],
    ['middle', 2],
    ['postfix', 4],
  ])('tells a lost %s', (place, missing) => {
    const { table, violations } = check({ ...sound, commits: sound.commits.filter(({ seq }) => seq !== missing) })
    expect(table.lost).toEqual({ prefix: 0, middle: 0, postfix: 0, [place]: 1 })
    expect(violations.map(({ rule }) => rule)).toContain('lost')
  })

  it('takes what was never acknowledged for recovered where it is stored, and for nothing where it is not', () => {
    const acked = new Set(ids.slice(0, 3))
    expect(check({ ...sound, acked }).table.recovered).toBe(1)
    expect(rulesOf({ acked, commits: sound.commits.slice(0, 3) })).toEqual([])
  })

  it.each<[string, string, Partial<History>]>([
    ['a message nobody published', 'unexpected', { commits: [...sound.commits, commit(5)] }],
    [
      'a message stored under two sequences',
      'doubled',
      { commits: [...sound.commits, commit(5, { messageId: 'm2' })] },
    ],
    ['two commit rows of one message', 'doubled', { commits: [...sound.commits, commit(2, { epoch: 1 })] }],
    ['a hole in the chain', 'chain', { commits: sound.commits.filter(({ seq }) => seq !== 2), acked: new Set(['m1']) }],
    ['an epoch that goes back', 'out of order', { commits: [commit(1, { epoch: 2 }), ...sound.commits.slice(1)] }],
    [
      'rows visible before earlier ones',
      'out of order',
      { commits: [commit(1, { storedAtMs: 99 }), ...sound.commits.slice(1)] },
    ],
    [
      'messages in another order than they were sent',
      'out of order',
      { attempted: new Map([['SPY', ['m2', 'm1', 'm3', 'm4']]]) },
    ],
    ['missing rows', 'torn', { rowProblems: [{ table: 't', snapshotId: 'm1', promised: 2, found: 1 }] }],
    ['rows written twice', 'doubled', { rowProblems: [{ table: 't', snapshotId: 'm1', promised: 2, found: 4 }] }],
    ['rows of no commit row', 'unexpected', { rowProblems: [{ table: 't', snapshotId: 'm9', promised: 0, found: 4 }] }],
    ['an alert that was never published', 'alert', { alertsPublished: new Map() }],
    ['an alert with two rows', 'alert', { alertRows: new Map([['alert', { underlying: 'SPY', times: 2 }]]) }],
    [
      'an alert published without a row',
      'alert',
      {
        alertsPublished: new Map([
          ['alert', { underlying: 'SPY', times: 1 }],
          ['other', { underlying: 'SPY', times: 1 }],
        ]),
      },
    ],
    ['rows other than in an undisturbed run', 'derived', { sums: new Map([['alerts_v1 SPY', '2 rows']]) }],
    [
      'a message the archive lacks',
      'archive',
      {
        archived: new Map([
          ['m1', 1],
          ['m2', 1],
          ['m3', 1],
        ]),
      },
    ],
    ['a message the archive has twice', 'archive', { archived: new Map(ids.map((id) => [id, id === 'm3' ? 2 : 1])) }],
    ['a chain without its beginning', 'chain', { commits: sound.commits.slice(1), acked: new Set(['m2']) }],
    ['a processor that says it went back', 'rewind', { violations: ['rewind: the stream has gone back'] }],
    ['a process that ended by itself', 'own end', { violations: ['own end: a ended with 1'] }],
    ['an API that did not answer', 'API', { violations: ['API: 1 of 9 requests failed while it was up'] }],
    [
      'a commit row of an owner before, after the partition was taken',
      'fence',
      { takings: [...sound.takings, { partition: 0, epoch: 2, takenAtMs: -2_000 }] },
    ],
    [
      'a message read again in another incarnation, as a duplicate',
      'doubled',
      { commits: [...sound.commits, commit(1, { incarnation: 'two', previousSeq: 0, outcome: 'duplicate' })] },
    ],
    [
      'a message stored again in another incarnation, at the same sequence',
      'doubled',
      { commits: [...sound.commits, commit(1, { incarnation: 'two', previousSeq: 0 })] },
    ],
    [
      'a message that was not acknowledged and is a duplicate of nothing',
      'unexpected',
      { acked: new Set(['m1']), commits: [...sound.commits.slice(0, 3), commit(4, { outcome: 'duplicate' })] },
    ],
    [
      'a copy that is a duplicate at first and stored later',
      'unexpected',
      {
        extra: new Map([['copy', { kind: 'copy', isAcked: true }]]),
        commits: [...sound.commits, copied(5, 'duplicate'), copied(6, 'stored')],
        archived: null,
      },
    ],
    [
      'an undecodable message without a commit row',
      'lost',
      { extra: new Map([['u', { kind: 'undecodable', isAcked: true }]]), archived: null },
    ],
  ])('finds %s', (_, rule, change) => {
    expect(rulesOf(change)).toContain(rule)
  })

  it('lets an owner before end what it had begun as the partition was taken, and owners of other partitions be', () => {
    const taking = { partition: 0, epoch: 2, takenAtMs: 15 }
    expect(rulesOf({ takings: [taking, { partition: 1, epoch: 9, takenAtMs: -9_000 }] })).toEqual([])
  })

  it('takes a message that was sent again for a duplicate', () => {
    expect(rulesOf({ commits: [...sound.commits, commit(5, { messageId: 'm2', outcome: 'duplicate' })] })).toEqual([])
  })

  describe('where a message was given up', () => {
    const wrong = { attempted: new Map([...sound.attempted, ['QQQ', ['q1']]]), acked: new Set([...ids, 'q1']) }
    const dead = commit(5, {
      messageId: 'q1',
      underlying: 'QQQ',
      outcome: 'dead-lettered',
      reason: 'crashed_processor',
    })
    const history = { ...wrong, commits: [...sound.commits, dead], archived: null }
    const alerts = (rows: readonly string[], published: readonly string[], undisturbed: readonly string[]) => {
      const counts = (names: readonly string[]): History['alertRows'] =>
        new Map(names.map((name) => [`alert of ${name}`, { underlying: name, times: 1 }]))
      const reference = { ...sound.reference, alerts: new Map(undisturbed.map((name) => [`alert of ${name}`, name])) }
      return rulesOf({ ...history, alertRows: counts(rows), alertsPublished: counts(published), reference })
    }

    it('leaves the alerts of its underlying out', () => {
      expect(alerts(['QQQ'], ['QQQ'], [])).toEqual([])
      expect(alerts([], ['QQQ'], [])).toEqual([])
      expect(alerts([], [], ['QQQ'])).toEqual([])
    })

    it('compares those of all others', () => {
      expect(alerts(['SPY'], ['SPY'], [])).toEqual(['alert'])
      expect(alerts([], ['SPY'], [])).toEqual(['alert'])
      expect(alerts([], [], ['SPY'])).toEqual(['alert'])
    })
  })

  it('counts the rows of every table whose sums it compares', () => {
    expect(promises.map(([table]) => table).toSorted()).toEqual(checkedTables.toSorted())
  })

  it('is not content with nothing', () => {
    const empty = { attempted: new Map(), acked: new Set<string>(), commits: [], alertRows: new Map(), archived: null }
    expect(rulesOf(empty)).toContain('process')
  })
})

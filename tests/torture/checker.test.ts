import { describe, expect, it } from 'vitest'
import { check, type CommitRow, type History } from './checker.ts'

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
  alertRows: new Map([['alert', 1]]),
  alertsPublished: new Map([['alert', 2]]),
  deadLetters: new Set(),
  archived: new Map(ids.map((id) => [id, 1])),
  archiveProblems: [],
  sums: new Map([['alerts_v1 SPY', '1 rows']]),
  reference: { sums: new Map([['alerts_v1 SPY', '1 rows']]), alertIds: new Set(['alert']) },
  violations: [],
}

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
    [
      'a hole in the chain',
      'cursor',
      { commits: sound.commits.filter(({ seq }) => seq !== 2), acked: new Set(['m1']) },
    ],
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
    ['an alert with two rows', 'alert', { alertRows: new Map([['alert', 2]]) }],
    [
      'an alert published without a row',
      'alert',
      {
        alertsPublished: new Map([
          ['alert', 1],
          ['other', 1],
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
    ['a cursor seen going back', 'cursor', { violations: ['cursor of p0 went from 9 back to 3'] }],
    [
      'an undecodable message without a commit row',
      'lost',
      { extra: new Map([['u', { kind: 'undecodable', isAcked: true }]]), archived: null },
    ],
  ])('finds %s', (_, rule, change) => {
    expect(rulesOf(change)).toContain(rule)
  })

  it('is not content with nothing', () => {
    const empty = { attempted: new Map(), acked: new Set<string>(), commits: [], alertRows: new Map(), archived: null }
    expect(rulesOf(empty)).toContain('process')
  })
})

import { describe, expect, it } from 'vitest'
import type { ReplayReport } from '../../../shared/model/replay.ts'
import { renderReplay } from './render.ts'

const report: ReplayReport = {
  kind: 'replay',
  into: 'scratch',
  messages: 3,
  outcomes: { stored: 2, duplicate: 1 },
  contracts: 12,
  alerts: 1,
  readFrom: { stream: 2, archive: 1 },
  codeVersions: ['1+a'],
  parameters: ['1+a: rate 0.04'],
  states: 1,
  missing: [],
  missingCount: 0,
  notReproducible: [],
  seconds: 1.25,
  comparison: null,
}
const counts = { table: 'alerts_v1', stored: 2, replayed: 2, differing: 0, onlyStored: 0, onlyReplayed: 0 }
const last = (text: string): string => text.split('\n').at(-1) ?? ''

describe('the report of a replay', () => {
  it('ends with its verdict', () => {
    const same = { same: true, tables: [counts], rows: [], brokenChain: [], leftovers: 0 }
    expect(last(renderReplay(report))).toBe('replayed, not compared')
    expect(last(renderReplay({ ...report, comparison: same }))).toMatch(/^IDENTICAL/)
    expect(last(renderReplay({ ...report, comparison: { ...same, same: false } }))).toBe('DIFFERENT')
    expect(last(renderReplay({ ...report, missingCount: 2 }))).toMatch(/^INPUTS MISSING: 2/)
    const notReproducible = [{ codeVersion: '0+b', messages: 1, reasons: ['why'] }]
    expect(last(renderReplay({ ...report, notReproducible }))).toMatch(/^NOT REPRODUCIBLE/)
  })

  it('shows each differing value, cuts long ones and counts what it does not show', () => {
    const columns = [{ column: 'state', stored: 'x'.repeat(1000), replayed: null }]
    const row = { table: 'alerts_v1', key: { alert_id: 'a1' }, kind: 'differing', columns } as const
    const tables = [{ ...counts, differing: 3 }]
    const text = renderReplay({
      ...report,
      comparison: { same: false, tables, rows: [row], brokenChain: ['partition 1'], leftovers: 4 },
    })
    expect(text).toContain('alerts_v1  differing  alert_id a1')
    expect(text).toMatch(/state: stored x{300}… \(1000 characters\), replayed null/)
    expect(text).toContain('… 2 differing rows more')
    expect(text).toContain('a commit row is missing or names a wrong one: partition 1')
    expect(text).toContain('4 rows belong to messages that were given up')
  })
})

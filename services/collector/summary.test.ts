import { expect, it } from 'vitest'
import { createSummary, fruitlessProblem, renderSummary } from './summary.ts'

it('renders counts per underlying and over all, aligned', () => {
  const summary = createSummary()
  summary.add('SHY', { kind: 'published', contracts: 312, rejectsByReason: {} })
  summary.add('SHY', { kind: 'repeated', contracts: 312, rejectsByReason: {} })
  summary.add('IWM', { kind: 'published', contracts: 5004, rejectsByReason: { expiry_mismatch: 8, precision: 1 } })
  summary.add('TLT', { kind: 'refused', reason: 'truncated', detail: 'x' })
  expect(renderSummary(summary.summary())).toBe(
    [
      'underlying  files  snapshots  contracts  rejects                         refused',
      'IWM             1          1      5,004  expiry_mismatch 8, precision 1  -',
      'SHY             2          1        312  -                               -',
      'TLT             1          0          0  -                               truncated 1',
      'total           4          2      5,316  expiry_mismatch 8, precision 1  truncated 1',
    ].join('\n'),
  )
})

it('shows no more lines than a person reads', () => {
  const summary = createSummary()
  for (let i = 0; i < 870; i++) {
    summary.add(`U${i}`, { kind: 'published', contracts: 1, rejectsByReason: {} })
  }
  const lines = renderSummary(summary.summary()).split('\n')
  expect(lines).toHaveLength(63)
  expect(lines[61]).toBe('… 810 more')
})

it('says in one sentence why an ingest gave nothing', () => {
  const settings = { recordingPath: 'x', underlyings: [] }
  const summary = createSummary()
  expect(fruitlessProblem(summary.summary(), settings)).toBe('No recording at x')
  expect(fruitlessProblem(summary.summary(), { ...settings, underlyings: ['SPY'] })).toBe('No recording of SPY at x')
  summary.add('TLT', { kind: 'refused', reason: 'truncated', detail: 'x' })
  expect(fruitlessProblem(summary.summary(), settings)).toBe('Not one snapshot at x: 1 refused (truncated 1)')
  summary.add('SHY', { kind: 'published', contracts: 312, rejectsByReason: {} })
  expect(fruitlessProblem(summary.summary(), settings)).toBeNull()
})

import { expect, it } from 'vitest'
import { intersectPatterns } from './tail.ts'

it.each([
  ['alerts.>', 'alerts.>', 'alerts.>'],
  ['>', 'alerts.>', 'alerts.>'],
  ['alerts.critical.>', 'alerts.>', 'alerts.critical.>'],
  ['alerts.*.iv_spike.SPY', 'alerts.>', 'alerts.*.iv_spike.SPY'],
  ['*.gap.>', 'quality.>', 'quality.gap.>'],
  ['scans.*.>', 'scans.result.>', 'scans.result.>'],
  ['features.SPY', 'features.*', 'features.SPY'],
  ['alerts.>', 'features.>', null],
  ['alerts', 'alerts.>', null],
  ['a.b.c', 'a.b', null],
])('what matches both %s and %s is %s', (pattern, subject, expected) => {
  expect(intersectPatterns(pattern, subject)).toBe(expected)
  expect(intersectPatterns(subject, pattern)).toBe(expected)
})

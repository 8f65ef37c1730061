import { describe, expect, it } from 'vitest'
import { subjectPattern } from './arguments.ts'

describe('subjectPattern', () => {
  it.each(['alerts.>', '>', '*', 'chains.raw.*.cboe.SPY', 'alerts.*.iv_spike.BRK%2EB'])('takes %s', (text) => {
    expect(subjectPattern(text)).toBe(text)
  })

  it.each(['', 'alerts..SPY', 'alerts.', '.alerts', 'alerts.>.SPY', 'alerts.SP*', 'alerts.a>', 'alerts. SPY'])(
    'refuses "%s", which no subject can match',
    (text) => {
      expect(() => subjectPattern(text)).toThrow('Expected a subject')
    },
  )
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  alertSubject,
  dlqSubject,
  escapeToken,
  featuresSubject,
  gapSubject,
  parseAlertSubject,
  parseDlqSubject,
  parseFeaturesSubject,
  parseGapSubject,
  parseRawSubject,
  parseScanResultSubject,
  parseScanSummarySubject,
  partitionOf,
  partitionOfUnderlying,
  rawFilter,
  rawSubject,
  scanResultSubject,
  scanSummarySubject,
  scanTaskSubject,
  unescapeToken,
} from './subjects.ts'

/** Well-formed text of any code points that still fits a token when every byte is escaped. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('.', '*', '>', '%', ' ', '\t', '\r', '\n', '\0', '/', 'A', '2', 'é', '💥'),
    minLength: 1,
    maxLength: 20,
  }),
)

describe('escapeToken', () => {
  it('gives back any text it escaped', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(unescapeToken(escapeToken(text))).toBe(text)
      }),
    )
  })

  it('leaves one token of printable ASCII that NATS allows', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(escapeToken(text)).toMatch(/^[!-~]+$/)
        expect(escapeToken(text)).not.toMatch(/[.*>\s]/)
      }),
    )
  })

  it('gives different texts different tokens', () => {
    fc.assert(
      fc.property(anyText, anyText, (first, second) => {
        expect(escapeToken(first) === escapeToken(second)).toBe(first === second)
      }),
    )
  })

  it('keeps what NATS allows readable', () => {
    expect(['BRK.B', '^SPX', 'M&M', 'BRK/B', '50%'].map(escapeToken)).toEqual([
      'BRK%2EB',
      '^SPX',
      'M&M',
      'BRK/B',
      '50%25',
    ])
  })

  it('refuses what has no reversible token, and one so long that the server would close the connection', () => {
    for (const text of ['', '\ud800', 'x'.repeat(5_000), '日'.repeat(100)]) {
      expect(() => escapeToken(text)).toThrow(expect.objectContaining({ code: 'bus', retryable: false }))
    }
  })

  it('refuses to undo what it never made', () => {
    expect(() => unescapeToken('%zz')).toThrow('Expected an escaped subject token')
  })
})

describe('partitionOf', () => {
  it('is FNV-1a-32', () => {
    expect(partitionOf('a', 2 ** 32)).toBe(0xe40c292c)
    expect(partitionOf('foobar', 2 ** 32)).toBe(0xbf9cf968)
  })

  it("equals the server's own partition(16, …), as nats-server 2.9.10 gave it", () => {
    const fromServer = {
      SPY: 13,
      SPX: 10,
      '^SPX': 14,
      'BRK.B': 14,
      'M&M': 5,
      NIFTY: 9,
      '*': 5,
      '>': 4,
      'A B': 9,
      ÄÖ: 2,
      日経: 14,
      '50%': 6,
    }
    const ours = Object.fromEntries(
      Object.keys(fromServer).map((underlying) => [underlying, partitionOfUnderlying(underlying)]),
    )
    expect(ours).toEqual(fromServer)
  })

  it('stays within the partitions', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 64 }), (text, partitions) => {
        const partition = partitionOfUnderlying(text, partitions)
        expect(Number.isInteger(partition) && partition >= 0 && partition < partitions).toBe(true)
      }),
    )
  })
})

describe('subjects', () => {
  it('are the documented ones', () => {
    expect(rawSubject(7, 'cboe', 'BRK.B')).toBe('chains.raw.7.cboe.BRK%2EB')
    expect(rawFilter(7)).toBe('chains.raw.7.>')
    expect(alertSubject({ severity: 'warning', detector: 'iv_spike', underlying: 'SPY' })).toBe(
      'alerts.warning.iv_spike.SPY',
    )
    expect(featuresSubject('^SPX')).toBe('features.^SPX')
    expect(scanTaskSubject(0, 'BRK.B')).toBe('scans.task.0.BRK%2EB')
    expect(scanSummarySubject('s1')).toBe('scans.summary.s1')
    expect(scanResultSubject('s1', 'SPY')).toBe('scans.result.s1.SPY')
    expect(gapSubject('SPY')).toBe('quality.gap.SPY')
    expect(dlqSubject('chains.raw.7.cboe.BRK%2EB')).toBe('dlq.chains.raw.7.cboe.BRK%2EB')
  })

  it('are read back as they were built, whatever the names', () => {
    fc.assert(
      fc.property(anyText, anyText, fc.integer({ min: 0, max: 63 }), (one, other, partition) => {
        expect(parseRawSubject(rawSubject(partition, one, other))).toEqual({
          partition,
          provider: one,
          underlying: other,
        })
        const alert = { severity: 'critical', detector: one, underlying: other } as const
        expect(parseAlertSubject(alertSubject(alert))).toEqual(alert)
        expect(parseFeaturesSubject(featuresSubject(one))).toBe(one)
        expect(parseScanSummarySubject(scanSummarySubject(one))).toBe(one)
        expect(parseScanResultSubject(scanResultSubject(one, other))).toEqual({ scanId: one, underlying: other })
        expect(parseGapSubject(gapSubject(one))).toBe(one)
        expect(parseDlqSubject(dlqSubject(rawSubject(partition, one, other)))).toBe(rawSubject(partition, one, other))
      }),
    )
  })

  it('of another shape are refused', () => {
    expect(() => parseRawSubject('chains.raw.7.cboe')).toThrow('Expected a subject under chains.raw')
    expect(() => parseRawSubject('chains.raw.7.cboe.SPY.more')).toThrow('Expected a subject under chains.raw')
    expect(() => parseAlertSubject('chains.raw.7.cboe.SPY')).toThrow('Expected a subject under alerts')
    expect(() => parseDlqSubject('dlqx.a')).toThrow('Expected a subject under dlq')
  })
})

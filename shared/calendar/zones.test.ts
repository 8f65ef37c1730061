import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDay } from './days.ts'
import { civilDayOf, civilOf, instantOf, parseZonedTime, zones, type Zone } from './zones.ts'

const pad = (value: number) => String(value).padStart(2, '0')

const at = (zone: Zone, text: string): string | null => {
  const ms = parseZonedTime(zone, text)
  return ms === null ? null : new Date(ms).toISOString()
}

describe('zones', () => {
  it('reads wall clocks of New York in summer and winter', () => {
    expect(at('America/New_York', '2026-06-22 16:00:00')).toBe('2026-06-22T20:00:00.000Z')
    expect(at('America/New_York', '2026-01-22T16:00:00')).toBe('2026-01-22T21:00:00.000Z')
    expect(at('Asia/Kolkata', '2026-06-22 15:30:00')).toBe('2026-06-22T10:00:00.000Z')
    expect(at('UTC', '2026-06-22 15:34:17')).toBe('2026-06-22T15:34:17.000Z')
  })

  it('is right on both sides of a change of daylight saving', () => {
    expect(at('America/New_York', '2026-03-08 01:59:59')).toBe('2026-03-08T06:59:59.000Z')
    expect(at('America/New_York', '2026-03-08 03:00:00')).toBe('2026-03-08T07:00:00.000Z')
    expect(at('America/New_York', '2026-03-08 16:00:00')).toBe('2026-03-08T20:00:00.000Z')
    expect(at('America/New_York', '2026-11-01 00:30:00')).toBe('2026-11-01T04:30:00.000Z')
    expect(at('America/New_York', '2026-11-01 16:00:00')).toBe('2026-11-01T21:00:00.000Z')
    expect(at('America/New_York', '2026-03-07 23:59:59')).toBe('2026-03-08T04:59:59.000Z')
    expect(at('America/New_York', '2026-11-02 00:00:00')).toBe('2026-11-02T05:00:00.000Z')
  })

  it('takes the first of an hour that occurs twice and moves one that never occurs forward', () => {
    expect(at('America/New_York', '2026-11-01 01:30:00')).toBe('2026-11-01T05:30:00.000Z')
    expect(at('America/New_York', '2026-03-08 02:30:00')).toBe('2026-03-08T07:30:00.000Z')
  })

  it('turns instants into wall clocks and back', () => {
    const anyInstant = fc
      .integer({ min: Date.UTC(2007, 3), max: Date.UTC(2030, 0) })
      .map((ms) => Math.floor(ms / 1000) * 1000)
    fc.assert(
      fc.property(fc.constantFrom(...zones), anyInstant, (zone, ms) => {
        const civil = civilOf(zone, ms)
        const back = instantOf(zone, civil)
        // The second pass of a repeated hour reads as the first.
        expect(back === ms || (zone === 'America/New_York' && back === ms - 3_600_000)).toBe(true)
        expect(civilDayOf(zone, ms)).toBe(parseDay(`${civil.year}-${pad(civil.month)}-${pad(civil.day)}`))
      }),
      { numRuns: 500 },
    )
  })

  it('agrees with Intl on wall clocks around every change of a year', () => {
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'America/New_York',
      dateStyle: 'short',
      timeStyle: 'medium',
    })
    for (let ms = Date.UTC(2026, 0, 1, 0, 59, 59); ms < Date.UTC(2027, 0, 1); ms += 3_600_000) {
      const { year, month, day, hour, minute, second } = civilOf('America/New_York', ms)
      expect(`${year}-${pad(month)}-${pad(day)} ${pad(hour)}:${pad(minute)}:${pad(second)}`).toBe(format.format(ms))
    }
  })

  it('keeps milliseconds and drops what is finer', () => {
    expect(at('UTC', '2026-06-22 15:34:17.5')).toBe('2026-06-22T15:34:17.500Z')
    expect(at('UTC', '2026-06-22 15:34:17.123456789')).toBe('2026-06-22T15:34:17.123Z')
  })

  it('refuses text that is not exactly a time', () => {
    const bad = [
      '',
      '2026-06-22',
      '2026-06-22 24:00:00',
      '2026-06-22 15:60:00',
      '2026-06-22 15:34:60',
      '2026-02-30 15:34:17',
      '2026-06-22 15:34:17Z',
      '2026-06-22 15:34:17+00:00',
      '2026-06-22 15:34:17.',
      '2026-06-22 15:34:17.x',
      '2026-06-22x15:34:17',
      '15:34:17',
      '0000-00-00 00:00:00',
    ]
    expect(bad.filter((text) => parseZonedTime('UTC', text) !== null)).toEqual([])
    expect(instantOf('UTC', { year: 2026, month: 2, day: 30, hour: 0, minute: 0, second: 0 })).toBeNull()
  })
})

import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { parseDay } from './days.ts'
import { calendarOf } from './sessions.ts'
import { openMsBetween, slotAt, slotsBetween } from './slots.ts'
import { type Zone, zones } from './zones.ts'

const minute = 60_000
const day = 86_400_000
const at = (text: string): number => Date.parse(text)
const onDay = (zone: Zone, date: string, intervalMs = minute) => {
  const from = at(`${date}T00:00:00Z`)
  const wanted = parseDay(date)
  return slotsBetween(zone, intervalMs, from, from + 2 * day).filter((slot) => slot.day === wanted)
}

const zone = fc.constantFrom(...zones)
const instant = fc.integer({ min: at('2010-01-01T00:00:00Z'), max: at('2032-01-01T00:00:00Z') })
const interval = fc.constantFrom(minute, 5 * minute, 7 * minute, 60 * minute, 1000 * 97)

describe('slots', () => {
  it.each([
    ['a regular day', 'America/New_York', '2026-11-16', 390, '2026-11-16T14:30:00Z', '2026-11-16T20:59:00Z'],
    [
      'the day before daylight saving',
      'America/New_York',
      '2026-03-06',
      390,
      '2026-03-06T14:30:00Z',
      '2026-03-06T20:59:00Z',
    ],
    ['the day after it began', 'America/New_York', '2026-03-09', 390, '2026-03-09T13:30:00Z', '2026-03-09T19:59:00Z'],
    ['an early close', 'America/New_York', '2026-11-27', 210, '2026-11-27T14:30:00Z', '2026-11-27T17:59:00Z'],
    ['India', 'Asia/Kolkata', '2026-08-20', 375, '2026-08-20T03:45:00Z', '2026-08-20T09:59:00Z'],
    ['a venue that never closes', 'UTC', '2026-11-22', 1440, '2026-11-22T00:00:00Z', '2026-11-22T23:59:00Z'],
  ] as const)('of %s: as many as minutes from open to close', (_, inZone, date, count, first, last) => {
    const slots = onDay(inZone, date)
    expect(slots).toHaveLength(count)
    expect([slots[0]?.atMs, slots.at(-1)?.atMs]).toEqual([at(first), at(last)])
    expect([slots[0]?.index, slots.at(-1)?.index]).toEqual([0, count - 1])
  })

  it.each(['2026-11-26', '2026-11-22', '2026-06-19'])('has none on %s, a holiday or weekend', (date) => {
    expect(onDay('America/New_York', date)).toEqual([])
  })

  it('ends the last one with the session where the interval does not divide it', () => {
    const slots = onDay('America/New_York', '2026-11-16', 60 * minute)
    expect(slots).toHaveLength(7)
    expect((slots.at(-1)?.untilMs ?? 0) - (slots.at(-1)?.atMs ?? 0)).toBe(30 * minute)
    expect(slotAt('America/New_York', 60 * minute, at('2026-11-16T21:00:00Z'))).toBeNull()
    expect(slotAt('America/New_York', 60 * minute, at('2026-11-16T20:59:59Z'))?.index).toBe(6)
  })

  it('says of a year that is not published that its sessions are a guess', () => {
    expect(new Set(onDay('America/New_York', '2029-01-03').map(({ coverage }) => coverage))).toEqual(
      new Set(['unpublished']),
    )
    expect(onDay('America/New_York', '2026-11-16')[0]?.coverage).toBe('published')
  })

  test.prop([zone, interval, instant])(
    'contain the instant they are asked for, and lie within a session',
    (z, ms, t) => {
      const slot = slotAt(z, ms, t)
      const session = slot === null ? null : calendarOf(z).sessionOn(slot.day)
      if (slot === null || session === null) return
      expect(slot.atMs <= t && t < slot.untilMs).toBe(true)
      expect(slot.atMs >= session.openMs && slot.untilMs <= session.closeMs).toBe(true)
      expect((slot.atMs - session.openMs) % ms).toBe(0)
    },
  )

  test.prop([zone, interval, instant, fc.integer({ min: 0, max: 10 * day })])(
    'follow each other without hole or overlap, whatever range they are asked for in',
    (z, ms, from, length) => {
      const slots = slotsBetween(z, ms, from, from + length)
      for (const [i, slot] of slots.entries()) {
        expect(slotAt(z, ms, slot.atMs)).toEqual(slot)
        const before = slots[i - 1]
        if (before === undefined) continue
        if (before.day === slot.day) expect(slot.atMs).toBe(before.untilMs)
        else expect([slot.index, slot.atMs > before.untilMs || z === 'UTC']).toEqual([0, true])
      }
      const cut = from + Math.floor(length / 3)
      expect([...slotsBetween(z, ms, from, cut), ...slotsBetween(z, ms, cut, from + length)]).toEqual(slots)
    },
  )

  test.prop([zone, instant, fc.integer({ min: 0, max: 20 * day }), fc.integer({ min: 0, max: 20 * day })])(
    'lie in the open hours between two instants, which add up',
    (z, from, a, b) => {
      const open = openMsBetween(z, from, from + a)
      expect(open).toBeGreaterThanOrEqual(0)
      expect(open).toBeLessThanOrEqual(a)
      expect(open + openMsBetween(z, from + a, from + a + b)).toBe(openMsBetween(z, from, from + a + b))
      expect(openMsBetween(z, from + 1, from)).toBe(0)
    },
  )

  it('counts a night, a weekend and a holiday for nothing', () => {
    const wednesday = at('2026-11-25T20:50:00Z')
    expect(openMsBetween('America/New_York', wednesday, at('2026-11-27T14:35:00Z'))).toBe(15 * minute)
    expect(openMsBetween('America/New_York', at('2026-11-27T18:00:00Z'), at('2026-11-30T14:30:00Z'))).toBe(0)
  })
})

import { civilDateOf, dayAtStart, dayOf, digitsAt, isCivilDate } from './days.ts'

/** The exchange zones we know: US, India, and crypto venues. Everything inside is UTC; these stand only at the edges. */
export const zones = ['America/New_York', 'Asia/Kolkata', 'UTC'] as const
export type Zone = (typeof zones)[number]

export function isZone(text: string): text is Zone {
  return (zones as readonly string[]).includes(text)
}

/** A wall-clock time in some zone. */
export interface CivilTime {
  readonly year: number
  /** 1..12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const dayMs = 86_400_000

interface OffsetCache {
  readonly format: Intl.DateTimeFormat
  /** UTC day -> offset in ms that holds the whole day, NaN when it changes within. */
  readonly byUtcDay: Map<number, number>
  /** Civil day -> the same for the zone's own day. */
  readonly byCivilDay: Map<number, number>
}

function offsetCache(zone: Zone): OffsetCache {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    era: 'short',
  })
  return { format, byUtcDay: new Map(), byCivilDay: new Map() }
}

const caches: Readonly<Record<Zone, OffsetCache>> = {
  'America/New_York': offsetCache('America/New_York'),
  'Asia/Kolkata': offsetCache('Asia/Kolkata'),
  UTC: offsetCache('UTC'),
}

function askIntl(format: Intl.DateTimeFormat, epochMs: number): number {
  const part = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
  for (const { type, value } of format.formatToParts(epochMs)) {
    if (type in part) part[type as keyof typeof part] = Number(value)
  }
  const civilS = dayOf(part.year, part.month, part.day) * 86_400 + part.hour * 3600 + part.minute * 60 + part.second
  return civilS * 1000 - Math.floor(epochMs / 1000) * 1000
}

function offsetOver(cache: OffsetCache, byDay: Map<number, number>, day: number, startMs: number): number {
  const known = byDay.get(day)
  if (known !== undefined) return known
  const first = askIntl(cache.format, startMs)
  const offset = first === askIntl(cache.format, startMs + dayMs - 1) ? first : NaN
  // A process sees some thousand days; whoever feeds it garbage must not grow it for ever.
  if (byDay.size >= 20_000) byDay.clear()
  byDay.set(day, offset)
  return offset
}

/** Zone offset from UTC in ms at an instant, positive east. */
function offsetAt(zone: Zone, epochMs: number): number {
  if (zone === 'UTC') return 0
  const cache = caches[zone]
  const utcDay = Math.floor(epochMs / dayMs)
  const offset = offsetOver(cache, cache.byUtcDay, utcDay, utcDay * dayMs)
  return Number.isNaN(offset) ? askIntl(cache.format, epochMs) : offset
}

function instantOfWallClock(zone: Zone, wallMs: number): number {
  if (zone === 'UTC') return wallMs
  const cache = caches[zone]
  const civilDay = Math.floor(wallMs / dayMs)
  const known = cache.byCivilDay.get(civilDay)
  if (known !== undefined && !Number.isNaN(known)) return wallMs - known
  const before = offsetAt(zone, civilDay * dayMs - dayMs)
  const after = offsetAt(zone, civilDay * dayMs + 2 * dayMs)
  if (before === after) {
    offsetOver(cache, cache.byCivilDay, civilDay, civilDay * dayMs - before)
    return wallMs - before
  }
  if (offsetAt(zone, wallMs - before) === before) return wallMs - before
  if (offsetAt(zone, wallMs - after) === after) return wallMs - after
  return wallMs - before
}

/**
 * Returns the epoch ms of a wall-clock time. An hour that occurs twice (end of daylight saving) is the first of the two;
 * one that does not occur (its start) is read with the offset before it, so 02:30 becomes 03:30. The same as Temporal's
 * "compatible". Null when the fields are no time of the calendar.
 */
export function instantOf(zone: Zone, civil: CivilTime): number | null {
  const { year, month, day, hour, minute, second } = civil
  if (!isCivilDate(year, month, day) || !isTimeOfDay(hour, minute, second)) return null
  return instantOfWallClock(zone, (dayOf(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second) * 1000)
}

/** Epoch ms of `secondsOfDay` on the wall clock of a civil day given by its number. */
export function instantOnDay(zone: Zone, epochDay: number, secondsOfDay: number): number {
  return instantOfWallClock(zone, (epochDay * 86_400 + secondsOfDay) * 1000)
}

function isTimeOfDay(hour: number, minute: number, second: number): boolean {
  return isWithin(hour, 23) && isWithin(minute, 59) && isWithin(second, 59)
}

function isWithin(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}

/** Wall-clock time at an instant, milliseconds dropped. */
export function civilOf(zone: Zone, epochMs: number): CivilTime {
  const wallS = Math.floor((epochMs + offsetAt(zone, epochMs)) / 1000)
  const day = Math.floor(wallS / 86_400)
  const second = wallS - day * 86_400
  return {
    ...civilDateOf(day),
    hour: Math.floor(second / 3600),
    minute: Math.floor(second / 60) % 60,
    second: second % 60,
  }
}

/** Civil day number at an instant. */
export function civilDayOf(zone: Zone, epochMs: number): number {
  return Math.floor((epochMs + offsetAt(zone, epochMs)) / dayMs)
}

/**
 * Parses a provider time without zone, `2026-06-22 15:34:17` or `2026-06-22T11:19:15`, optionally with a fraction of a
 * second, as wall clock of `zone`. Null for anything else, a trailing zone included: then the text says more than this reads.
 */
export function parseZonedTime(zone: Zone, text: string): number | null {
  if (text.length < 19) return null
  const day = dayAtStart(text)
  const separator = text.charCodeAt(10)
  if (day === null || (separator !== 32 && separator !== 84)) return null
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return null
  const hour = digitsAt(text, 11, 2)
  const minute = digitsAt(text, 14, 2)
  const second = digitsAt(text, 17, 2)
  if (!isTimeOfDay(hour, minute, second)) return null
  const millis = text.length === 19 ? 0 : fractionMs(text)
  if (millis < 0) return null
  return instantOfWallClock(zone, (day * 86_400 + hour * 3600 + minute * 60 + second) * 1000) + millis
}

/** Whole milliseconds of the `.fraction` after the seconds, finer digits dropped; -1 when it is none. */
function fractionMs(text: string): number {
  const digits = text.length - 20
  if (text.charCodeAt(19) !== 46 || digits < 1 || digits > 9 || digitsAt(text, 20, digits) < 0) return -1
  return digitsAt(text.slice(20, 23).padEnd(3, '0'), 0, 3)
}

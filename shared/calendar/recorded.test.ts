import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { filesBelow, gunzipText, recordingsAt } from '../../tests/support/recordings.ts'
import { parseDay } from './days.ts'
import { expiryInstantS } from './expiry.ts'
import { multiplierOf } from './multiplier.ts'
import { parseOccSymbol } from './occ.ts'
import { coverageOn } from './session-calendar.ts'
import { calendarOf } from './sessions.ts'
import { instantOnDay, type Zone } from './zones.ts'

/* The calendars against what exchanges listed: their expiries fall on sessions, their quantities are whole lots. */

const needs = (folder: string, context: TestContext): string => {
  const found = recordingsAt(folder)
  return 'path' in found ? found.path : context.skip(found.missing)
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
/** Of 24-Mar-2022. */
const nseDay = (text: string): number => {
  const [day = '', month = '', year = ''] = text.split('-')
  return parseDay(`${year}-${String(months.indexOf(month) + 1).padStart(2, '0')}-${day}`) ?? NaN
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** Cells of an unquoted CSV by column name. */
const csvRows = (text: string): readonly Readonly<Record<string, string>>[] => {
  const [head = '', ...lines] = text.trim().split('\n')
  const names = head.trim().split(',')
  return lines.map((line) => {
    const cells = line.trim().split(',')
    return Object.fromEntries(names.map((name, k) => [name, cells[k] ?? '']))
  })
}

interface NseLeg {
  readonly expiryDate: string
  readonly underlying: string
  readonly bidQty: number
  readonly askQty: number
  readonly totalBuyQuantity: number
  readonly totalSellQuantity: number
}

interface NseDocument {
  readonly records: {
    readonly timestamp: string
    readonly data: readonly { readonly CE?: NseLeg; readonly PE?: NseLeg }[]
  }
}

const offSession = (zone: Zone, expiryDays: Iterable<number>): readonly number[] =>
  [...new Set(expiryDays)].filter(
    (day) => coverageOn(calendarOf(zone), day) !== 'unpublished' && !calendarOf(zone).isSessionDay(day),
  )

describe('recorded chains', () => {
  it('of Cboe expire on US sessions, at 16:00 or at an early close', (context) => {
    const newest = ['IWM', 'TLT', 'COPX', 'UNG', 'SHY'].map((ticker) =>
      filesBelow(join(needs('cboe/intraday', context), ticker)).at(-1),
    )
    const symbols = newest.flatMap((file) => gunzipText(file ?? '').match(/"[A-Z]+\d{6}[CP]\d{8}"/g) ?? [])
    const contracts = symbols.map((symbol) => parseOccSymbol(symbol.slice(1, -1)))
    const expiryDays = new Set(contracts.map((contract) => contract?.expiryDay ?? NaN))
    expect(symbols.length).toBeGreaterThan(8000)
    expect(expiryDays.size).toBeGreaterThan(30)
    expect(offSession('America/New_York', expiryDays)).toEqual([])
    for (const expiryDay of expiryDays) {
      const atS = expiryInstantS({ root: 'IWM', underlying: 'IWM', expiryDay, zone: 'America/New_York' })
      expect([13, 16].map((hour) => instantOnDay('America/New_York', expiryDay, hour * 3600) / 1000)).toContain(atS)
    }
  })

  it('of NSE expire on its sessions and quote whole lots', (context) => {
    const lots = new Map<string, { seen: number; expected: number | null }>()
    for (const file of filesBelow(needs('nse/option_chain_v1', context))) {
      const { records } = JSON.parse(gunzipText(file)) as NseDocument
      const day = nseDay(records.timestamp.slice(0, 11))
      const legs = records.data.flatMap(({ CE, PE }) => [CE, PE].filter((leg) => leg !== undefined))
      // Further out a holiday may be declared after the contract is listed, as for the expiry of 2023-06-29.
      const near = legs.map((leg) => nseDay(leg.expiryDate)).filter((expiryDay) => expiryDay <= day + 45)
      expect(offSession('Asia/Kolkata', [day, ...near])).toEqual([])
      for (const { expiryDate, underlying, bidQty, askQty, totalBuyQuantity, totalSellQuantity } of legs) {
        const key = `${underlying} ${expiryDate} on ${records.timestamp.slice(0, 11)}`
        const expiryDay = nseDay(expiryDate)
        const expected = multiplierOf({ zone: 'Asia/Kolkata', root: underlying, underlying, expiryDay, day })
        const known = lots.get(key) ?? { seen: 0, expected }
        known.seen = [bidQty, askQty, totalBuyQuantity, totalSellQuantity].reduce(gcd, known.seen)
        lots.set(key, known)
      }
    }
    expect(lots.size).toBeGreaterThan(50)
    expect([...lots].filter(([, { seen, expected }]) => expected === null || seen % expected !== 0)).toEqual([])
    // Busy expiries show the lot itself and not a multiple of it.
    expect(new Set([...lots.values()].filter(({ seen }) => seen > 0).map(({ seen }) => seen)).size).toBeGreaterThan(1)
    expect(lots.get('NIFTY 24-Mar-2022 on 15-Mar-2022')).toEqual({ seen: 50, expected: 50 })
    expect(lots.get('BANKNIFTY 24-Mar-2022 on 15-Mar-2022')).toEqual({ seen: 25, expected: 25 })
  })

  it('of Kite list the lots on record for every index, and none for a stock', (context) => {
    const file = join(needs('kite/instruments', context), 'NFO_2026-08-21.csv.gz')
    const options = csvRows(gunzipText(file)).filter(({ instrument_type }) => instrument_type !== 'FUT')
    const day = parseDay('2026-08-21') ?? NaN
    const wrong = options.filter(({ name = '', expiry = '', lot_size }) => {
      const known = multiplierOf({
        zone: 'Asia/Kolkata',
        root: name,
        underlying: name,
        expiryDay: parseDay(expiry) ?? NaN,
        day,
      })
      return known !== (name.includes('NIFTY') ? Number(lot_size) : null)
    })
    expect(options.length).toBeGreaterThan(30_000)
    expect(wrong).toEqual([])
    expect(
      offSession(
        'Asia/Kolkata',
        options.map(({ expiry = '' }) => parseDay(expiry) ?? NaN),
      ),
    ).toEqual([])
  })

  it('of Kite in February 2026 hold whole lots of open interest', (context) => {
    const file = join(needs('kite/index_snapshots/2026-02-03', context), '12-03.csv.gz')
    const rows = csvRows(gunzipText(file))
    const day = parseDay('2026-02-03') ?? NaN
    const lots = Map.groupBy(rows, ({ Symbol = '', Expiry = '' }) => `${Symbol} ${Expiry}`)
    const figures = [...lots].map(([key, group]) => {
      const [root = '', expiry = ''] = key.split(' ')
      const quantities = group.flatMap(({ CE_OI, PE_OI }) => [Number(CE_OI), Number(PE_OI)])
      const expiryDay = parseDay(expiry) ?? NaN
      return [
        root,
        quantities.reduce(gcd, 0),
        multiplierOf({ zone: 'Asia/Kolkata', root, underlying: root, expiryDay, day }),
      ]
    })
    expect(figures.toSorted(([a], [b]) => String(a).localeCompare(String(b)))).toEqual([
      ['BANKNIFTY', 30, 30],
      ['MIDCPNIFTY', 120, 120],
      ['NIFTY', 65, 65],
    ])
  })

  it('of Deribit name expiries of 08:00 UTC', (context) => {
    const file = filesBelow(needs('deribit/book_summary', context))[0] ?? ''
    const names = gunzipText(file).match(/BTC-\d{1,2}[A-Z]{3}\d{2}/g) ?? []
    const days = new Set(names.map(deribitDay))
    expect(days.size).toBe(12)
    for (const expiryDay of days) {
      const atS = expiryInstantS({ root: 'BTC', underlying: 'BTC', expiryDay, zone: 'UTC' })
      expect(atS).toBe(expiryDay * 86_400 + 8 * 3600)
    }
  })
})

/** Of BTC-27MAR26. */
function deribitDay(name: string): number {
  const [, day = '', month = '', year = ''] = /-(\d{1,2})([A-Z]{3})(\d{2})/.exec(name) ?? []
  const monthNumber = months.findIndex((each) => each.toUpperCase() === month) + 1
  return parseDay(`20${year}-${String(monthNumber).padStart(2, '0')}-${day.padStart(2, '0')}`) ?? NaN
}

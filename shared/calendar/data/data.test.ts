import { describe, expect, it } from 'vitest'
import { parseDay } from '../days.ts'
import { nseHolidays2011 } from './nse-holidays-2011.ts'
import { nseHolidays2019 } from './nse-holidays-2019.ts'
import { nseLots } from './nse-lots.ts'
import { nseSpecialSessions } from './nse-sessions.ts'
import { usMovedSettlements, usUnscheduledClosures, usYears } from './us.ts'
import { usIndexRoots } from './us-roots.ts'

const datedFacts = [...usUnscheduledClosures, ...usMovedSettlements, ...nseSpecialSessions]
const sourced = [...datedFacts, ...usYears, ...nseHolidays2011, ...nseHolidays2019, ...nseLots, ...usIndexRoots]

describe('calendar data', () => {
  it('names a source for every row', () => {
    expect(sourced.filter(({ source }) => source.trim().length < 5)).toEqual([])
  })

  it('has readable dates, each once, with a reason', () => {
    expect(datedFacts.filter(({ date, reason }) => parseDay(date) === null || reason === '')).toEqual([])
    for (const facts of [usUnscheduledClosures, nseSpecialSessions]) {
      expect(new Set(facts.map(({ date }) => date)).size).toBe(facts.length)
    }
  })

  it('has hours as HH:MM, both or none, the close after the open', () => {
    const wrong = nseSpecialSessions.filter(({ open, close }) => {
      if (open === null || close === null) return open !== close
      return !/^\d\d:[0-5]\d$/.test(open) || !/^\d\d:[0-5]\d$/.test(close) || open >= close
    })
    expect(wrong).toEqual([])
  })
})

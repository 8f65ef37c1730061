import { civilDateOf, weekdayOf } from '../../../../shared/calendar/days.ts'
import { expiryInstantS } from '../../../../shared/calendar/expiry.ts'
import { sessionDayOnOrBefore, usOptions } from '../../../../shared/calendar/sessions.ts'
import type { UnderlyingProfile } from './universe.ts'

/** How long an expiry was listed before it came due; decides how wide its strikes reach. */
type Tenor = 'daily' | 'weekly' | 'monthly' | 'leaps'

/** One expiry of one root. Each strike has a call and a put. */
export interface Listing {
  readonly root: string
  readonly tenor: Tenor
  readonly expiryDay: number
  readonly expiryAtS: number
  /** Ascending. */
  readonly strikes: readonly number[]
}

interface TenorRule {
  /** Calendar days before expiry on which it appears, by the class of the underlying; 0: not listed. */
  readonly horizonDays: Readonly<Record<UnderlyingProfile['listing'], number>>
  /** Expiries listed on an average day, for the size of a chain. */
  readonly usual: Readonly<Record<UnderlyingProfile['listing'], number>>
  /** Strikes relative to the other tenors. */
  readonly weight: number
  /** Years that the width of the strikes is laid out for. */
  readonly widthYears: number
}

const tenorRules: Readonly<Record<Tenor, TenorRule>> = {
  daily: {
    horizonDays: { daily: 14, weekly: 0, monthly: 0 },
    usual: { daily: 8, weekly: 0, monthly: 0 },
    weight: 0.7,
    widthYears: 0.04,
  },
  weekly: {
    horizonDays: { daily: 56, weekly: 49, monthly: 0 },
    usual: { daily: 6.2, weekly: 5.4, monthly: 0 },
    weight: 0.8,
    widthYears: 0.15,
  },
  monthly: {
    horizonDays: { daily: 365, weekly: 240, monthly: 150 },
    usual: { daily: 11, weekly: 7.3, monthly: 4.6 },
    weight: 1.2,
    widthYears: 0.6,
  },
  leaps: {
    horizonDays: { daily: 800, weekly: 800, monthly: 500 },
    usual: { daily: 2.2, weekly: 2.2, monthly: 1.4 },
    weight: 1,
    widthYears: 1.5,
  },
}
/** PM-settled siblings of AM-settled monthlies (SPXW on third Fridays). */
const siblingHorizonDays = 180
const siblingUsual = 5.9

/** Fewer, and the spot's wandering would leave them. */
const minStrikes = 9
const strikeSteps = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500]

/** Returns what is listed on a session day in canonical order: by root, then expiry. Expired ones are gone, today's are still there. */
export function listingsOn(day: number, profile: UnderlyingProfile): readonly Listing[] {
  const listings: Listing[] = []
  for (const { expiryDay, tenor } of expiriesFrom(day, profile.listing)) {
    const isThirdFriday = tenor === 'monthly' || tenor === 'leaps'
    if (isThirdFriday && profile.amRoot !== null) {
      listings.push(listingOf(profile, profile.amRoot, tenor, expiryDay))
      if (expiryDay - day <= siblingHorizonDays) listings.push(listingOf(profile, profile.root, 'weekly', expiryDay))
    } else {
      listings.push(listingOf(profile, profile.root, tenor, expiryDay))
    }
  }
  return listings.sort((a, b) => (a.root === b.root ? a.expiryDay - b.expiryDay : a.root < b.root ? -1 : 1))
}

function listingOf(profile: UnderlyingProfile, root: string, tenor: Tenor, expiryDay: number): Listing {
  const expiryAtS = expiryInstantS({ root, underlying: profile.ticker, expiryDay, zone: 'America/New_York' })
  return { root, tenor, expiryDay, expiryAtS, strikes: strikesOf(profile, tenor) }
}

interface Expiry {
  readonly expiryDay: number
  readonly tenor: Tenor
}

const expiryCache = new Map<string, readonly Expiry[]>()

/** The same for all underlyings of a class, so kept for the day. */
function expiriesFrom(day: number, listing: UnderlyingProfile['listing']): readonly Expiry[] {
  const key = `${day} ${listing}`
  const expiries = expiryCache.get(key) ?? findExpiries(day, listing)
  if (expiryCache.size >= 16) expiryCache.clear()
  expiryCache.set(key, expiries)
  return expiries
}

function findExpiries(day: number, listing: UnderlyingProfile['listing']): readonly Expiry[] {
  const found = new Map<number, Tenor>()
  for (let date = day; date <= day + 800; date++) {
    if (weekdayOf(date) !== 5) continue
    const tenor = tenorOfFriday(date)
    // A Friday without a session moves its expiry to the session before.
    const expiryDay = sessionDayOnOrBefore(usOptions, date)
    if (
      expiryDay >= day &&
      expiryDay - day <= tenorRules[tenor].horizonDays[listing] &&
      tenorRules[tenor].usual[listing] > 0
    ) {
      found.set(expiryDay, tenor)
    }
  }
  for (let date = day; date <= day + tenorRules.daily.horizonDays[listing]; date++) {
    if (listing === 'daily' && usOptions.isSessionDay(date) && !found.has(date)) found.set(date, 'daily')
  }
  return [...found].map(([expiryDay, tenor]) => ({ expiryDay, tenor }))
}

function tenorOfFriday(date: number): Tenor {
  const { month, day } = civilDateOf(date)
  if (day < 15 || day > 21) return 'weekly'
  return month === 1 ? 'leaps' : 'monthly'
}

const strikeCache = new WeakMap<UnderlyingProfile, Map<Tenor, readonly number[]>>()

/**
 * Returns the strikes of a tenor: fine steps around the base price, steps twice as wide outside. They hang on the base
 * price, to which the spot is drawn back, so a contract once listed stays until it expires.
 */
function strikesOf(profile: UnderlyingProfile, tenor: Tenor): readonly number[] {
  const known = strikeCache.get(profile) ?? new Map<Tenor, readonly number[]>()
  strikeCache.set(profile, known)
  const strikes = known.get(tenor) ?? layOut(profile, tenor)
  known.set(tenor, strikes)
  return strikes
}

function layOut(profile: UnderlyingProfile, tenor: Tenor): readonly number[] {
  const count = Math.max(minStrikes, Math.round(unitStrikes(profile) * tenorRules[tenor].weight))
  const inner = Math.max(2, Math.round(count * 0.3))
  const half = Math.floor(count / 2)
  const step = strikeStep(profile, tenor, inner + 2 * (count - half - 1 - inner))
  const center = Math.round(profile.basePrice / step)
  const strikes: number[] = []
  for (let i = -half; i < count - half; i++) {
    const offset = Math.abs(i) <= inner ? i : Math.sign(i) * (inner + 2 * (Math.abs(i) - inner))
    if (center + offset > 0) strikes.push((center + offset) * step)
  }
  return strikes
}

/** Strikes of a tenor of weight 1 so that the whole chain has about the target. */
function unitStrikes({ listing, targetContracts, amRoot }: UnderlyingProfile): number {
  const tenors = Object.values(tenorRules)
  const weighted = tenors.reduce((sum, { usual, weight }) => sum + usual[listing] * weight, 0)
  const siblings = amRoot === null ? 0 : siblingUsual * tenorRules.weekly.weight
  return targetContracts / 2 / (weighted + siblings)
}

/** Four standard deviations of the spot about its base, relative to its vol per sqrt(year). */
const wandering = 0.38

/** Returns the finer of the steps that serve the tenor, but none so fine that the spot could leave the strikes; `reach` is the steps on a side. */
function strikeStep({ basePrice, baseVol }: UnderlyingProfile, tenor: Tenor, reach: number): number {
  const tenorWidth = basePrice * baseVol * (2.5 * Math.sqrt(tenorRules[tenor].widthYears) + wandering / 2)
  const wanted = Math.min(tenorWidth / reach, basePrice * Math.max(0.03, 0.1 * baseVol))
  const needed = (0.9 * basePrice * baseVol * wandering) / reach
  return (
    strikeSteps.findLast((step) => step <= 1.25 * wanted && step >= needed) ??
    strikeSteps.find((step) => step >= needed) ??
    500
  )
}

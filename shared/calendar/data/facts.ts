/** How a year is known: from the exchange's own list, computed from its rules, or not at all. */
export type Coverage = 'published' | 'by_rule' | 'unpublished'

/** Where what is said of a year comes from. Years without one are unpublished. */
export interface YearSource {
  readonly year: number
  readonly coverage: Exclude<Coverage, 'unpublished'>
  readonly source: string
}

/** One day of one market that its rules do not give. */
export interface DatedFact {
  /** YYYY-MM-DD in the market's zone. */
  readonly date: string
  readonly reason: string
  readonly source: string
}

/** A session at other hours than the market's own, or on a day that otherwise has none. */
export interface SpecialSession extends DatedFact {
  /** Wall clock, HH:MM; null when announced without hours at hand: then there is no session to count on. */
  readonly open: string | null
  readonly close: string | null
  /** True when expiries of that day settle at its close; false for a token hour or a test of the systems. */
  readonly settles: boolean
}

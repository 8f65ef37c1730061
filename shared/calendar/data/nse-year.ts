/** The weekdays of a year without a session: month and day, and why. */
export interface NseYear {
  readonly year: number
  readonly source: string
  readonly closed: readonly (readonly [monthDay: string, reason: string])[]
}

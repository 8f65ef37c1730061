/** Zero rates by time to maturity and where they are from. `years` ascending, as long as `rates`, at least one point. */
export interface RateCurve {
  /** Who published it. */
  readonly source: string
  /** Day of the rates, YYYY-MM-DD. */
  readonly date: string
  readonly years: readonly number[]
  /** Continuously compounded, fractions a year. */
  readonly rates: readonly number[]
}

export function flatCurve(rate: number, source: string, date: string): RateCurve {
  return { source, date, years: [1], rates: [rate] }
}

/** Zero rate linear in time between the curve's points and flat outside them. */
export function zeroRate({ years, rates }: RateCurve, maturityYears: number): number {
  let after = 0
  while (after < years.length && (years[after] ?? NaN) < maturityYears) after++
  const right = rates[Math.min(after, rates.length - 1)] ?? NaN
  if (after === 0 || after === years.length) return right
  const t1 = years[after - 1] ?? NaN
  const t2 = years[after] ?? NaN
  const left = rates[after - 1] ?? NaN
  return left + ((right - left) * (maturityYears - t1)) / (t2 - t1)
}

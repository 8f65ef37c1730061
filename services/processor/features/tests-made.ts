/** Arbitrage tests of one kind. */
export interface Tests {
  /** What the listed strikes would allow. */
  allowed: number
  /** What the quotes there are allow. */
  made: number
  found: number
  /** Largest edge per unit of the underlying; 0 without any. */
  worst: number
}

export function noTests(): Tests {
  return { allowed: 0, made: 0, found: 0, worst: 0 }
}

export function addTests(total: Tests, part: Tests): void {
  total.allowed += part.allowed
  total.made += part.made
  total.found += part.found
  total.worst = Math.max(total.worst, part.worst)
}

/** Smaller edges are rounding of prices and weights, and far below any tick. */
const rounding = 1e-10

/** Notes one test by its edge. A NaN edge is a test that could not be made for want of a quote. */
export function noteTest(out: Tests, edge: number, spot: number): void {
  if (Number.isNaN(edge)) return
  out.made++
  if (!(edge > rounding * spot)) return
  out.found++
  if (edge > out.worst) out.worst = edge
}

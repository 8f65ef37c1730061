/** Worst case beyond bisection's count of evaluations. */
const slack = 1
const truncation = 0.2

/**
 * Returns a root of `f` between `a` and `b`, at which it takes the values `fa` and `fb` of opposite sign, to within
 * `tolerance`. Interpolate, truncate, project: superlinear on smooth functions and never more than one evaluation above
 * bisection (Oliveira, Takahashi, "An Enhancement of the Bisection Method Average Performance Preserving Minmax
 * Optimality", ACM TOMS 47, 2020).
 */
export function bracketedRoot(
  f: (x: number) => number,
  [a, fa]: readonly [number, number],
  [b, fb]: readonly [number, number],
  tolerance: number,
): number {
  const rising = fa < 0 ? 1 : -1
  const perWidth = truncation / (b - a)
  const most = Math.max(0, Math.ceil(Math.log2((b - a) / (2 * tolerance)))) + slack
  for (let step = 0; step < most && b - a > 2 * tolerance; step++) {
    const middle = 0.5 * (a + b)
    const secant = (fb * a - fa * b) / (fb - fa)
    const towards = Math.sign(middle - secant)
    const shift = perWidth * (b - a) * (b - a)
    const truncated = shift <= Math.abs(middle - secant) ? secant + towards * shift : middle
    const radius = tolerance * 2 ** (most - step) - 0.5 * (b - a)
    const x = Math.abs(truncated - middle) <= radius ? truncated : middle - towards * radius
    const fx = f(x)
    if (rising * fx > 0) {
      b = x
      fb = fx
    } else if (rising * fx < 0) {
      a = x
      fa = fx
    } else return x
  }
  return 0.5 * (a + b)
}

/**
 * Volatility at log-moneyness 0 between two strikes, total variance linear in log-moneyness. `left` is at or below the
 * forward, `right` at or above it. NaN when a volatility is missing.
 */
export function volatilityAtTheMoney(
  leftLogMoneyness: number,
  leftSigma: number,
  rightLogMoneyness: number,
  rightSigma: number,
): number {
  if (leftLogMoneyness === rightLogMoneyness) return leftSigma
  const share = -leftLogMoneyness / (rightLogMoneyness - leftLogMoneyness)
  const left = leftSigma * leftSigma
  return Math.sqrt(left + share * (rightSigma * rightSigma - left))
}

/** How far beyond the listed expiries, as a share of the maturity, a constant maturity may take the nearest flat. */
const flatWithin = 0.2

/**
 * Constant-maturity volatility: total variance sigma^2 T linear in T between the expiries on both sides. Outside them it is
 * the nearest expiry's where that lies within 20 % of the maturity, else NaN: never extrapolated. Expiries come ascending;
 * those without a finite volatility are passed over.
 */
export function constantMaturityVolatility(
  years: ArrayLike<number>,
  sigmas: ArrayLike<number>,
  count: number,
  maturityYears: number,
): number {
  const { before, after } = neighbours(years, sigmas, count, maturityYears)
  if (before < 0 || after < 0) return flat(years, sigmas, Math.max(before, after), maturityYears)
  const t1 = years[before] ?? NaN
  const t2 = years[after] ?? NaN
  const w1 = (sigmas[before] ?? NaN) ** 2 * t1
  const w2 = (sigmas[after] ?? NaN) ** 2 * t2
  return Math.sqrt((w1 + ((w2 - w1) * (maturityYears - t1)) / (t2 - t1)) / maturityYears)
}

/** The same of a figure that is itself linear in T, as differences of volatilities are taken to be. */
export function constantMaturityValue(
  years: ArrayLike<number>,
  values: ArrayLike<number>,
  count: number,
  maturityYears: number,
): number {
  const { before, after } = neighbours(years, values, count, maturityYears)
  if (before < 0 || after < 0) return flat(years, values, Math.max(before, after), maturityYears)
  const t1 = years[before] ?? NaN
  const t2 = years[after] ?? NaN
  const first = values[before] ?? NaN
  return first + (((values[after] ?? NaN) - first) * (maturityYears - t1)) / (t2 - t1)
}

/**
 * Places of the last expiry at or before the maturity and of the first one after it among those with a finite value, -1 for
 * none. They never share an instant, so what is linear between them never divides by zero.
 */
export function neighbours(
  years: ArrayLike<number>,
  values: ArrayLike<number>,
  count: number,
  maturityYears: number,
): { readonly before: number; readonly after: number } {
  let before = -1
  let after = -1
  for (let i = 0; i < count && after < 0; i++) {
    if (!Number.isFinite(values[i]) || !Number.isFinite(years[i])) continue
    if ((years[i] ?? NaN) <= maturityYears) before = i
    else after = i
  }
  return { before, after }
}

function flat(years: ArrayLike<number>, values: ArrayLike<number>, at: number, maturityYears: number): number {
  if (at < 0) return NaN
  const isNear = Math.abs((years[at] ?? NaN) - maturityYears) <= flatWithin * maturityYears
  return isNear ? (values[at] ?? NaN) : NaN
}

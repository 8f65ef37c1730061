import { bracketedRoot } from './bracketed-root.ts'
import { absoluteProfileAt, type GammaProfile, profileAt, type ProfileGrid, tabulateProfile } from './gamma-profile.ts'

export interface ZeroGamma {
  /** Price at which the book's gamma changes sign; NaN where it does not. */
  readonly price: number
  /** Sign of the gamma at spot; 0 without any. */
  readonly sign: number
}

const lowest = Math.log(0.8)
const highest = Math.log(1.2)
/** What is left out adds up to less than this share of the absolute gamma at spot, wherever in the range one looks. */
const negligible = 1e-9
/** Of ln(x/S). */
const tolerance = 1e-10

/**
 * Returns the price nearest spot, within 0.8..1.2 of it, at which the gamma of a book changes sign. The profile is
 * tabulated on nodes 1.2e-4 of spot apart or closer, which finds the changes; the nearest is then taken to 1e-10 by a
 * bracketed root on the profile itself. Options that could only ever add 1e-9 of the absolute gamma at spot, all of them
 * together, are left out, and a gamma below that is taken for none.
 */
export function zeroGamma(profile: GammaProfile, spot: number): ZeroGamma {
  const absolute = absoluteProfileAt(profile, 0)
  const kept = withoutNegligible(profile, absolute)
  const grid = tabulateProfile(kept, lowest, highest)
  const at = (u: number) => profileAt(kept, u)
  let price = NaN
  let nearest = Infinity
  for (const { from, to, distance } of changesOfSign(grid, negligible * absolute)) {
    if (distance >= nearest) break
    const u = rootBetween(at, from, to)
    const gap = Math.abs(Math.exp(u) - 1)
    if (!(u >= lowest && u <= highest && gap < nearest)) continue
    nearest = gap
    price = spot * Math.exp(u)
  }
  return { price, sign: Math.sign(at(0)) || signOf(grid) }
}

/** An option's bell is highest at its centre, or at the end of the range nearest to it. */
function withoutNegligible(profile: GammaProfile, absolute: number): GammaProfile {
  const { count, weight, centre, width } = profile
  const kept = { weight: new Float64Array(count), centre: new Float64Array(count), width: new Float64Array(count) }
  const least = (negligible * absolute) / count
  let at = 0
  for (let i = 0; i < count; i++) {
    const c = centre[i] ?? NaN
    const d1 = Math.max(0, lowest - c, c - highest) / (width[i] ?? NaN)
    if (!(Math.abs(weight[i] ?? NaN) * Math.exp(-0.5 * d1 * d1) > least)) continue
    kept.weight[at] = weight[i] ?? NaN
    kept.centre[at] = c
    kept.width[at] = width[i] ?? NaN
    at++
  }
  return { ...kept, count: at }
}

interface Bracket {
  readonly from: number
  readonly to: number
  /** No root in it is nearer to spot, as a share of spot. */
  readonly distance: number
}

/** Between neighbouring nodes of opposite sign; stretches of negligible gamma are passed over. Nearest to spot first. */
function changesOfSign({ first, step, values }: ProfileGrid, least: number): Bracket[] {
  const brackets: Bracket[] = []
  let sign = 0
  let last = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? NaN
    if (!(Math.abs(value) > least)) continue
    if (sign * value < 0) {
      const from = (first + last) * step
      const to = (first + i) * step
      brackets.push({ from, to, distance: Math.max(0, Math.exp(from) - 1, 1 - Math.exp(to)) })
    }
    sign = Math.sign(value)
    last = i
  }
  return brackets.sort((a, b) => a.distance - b.distance)
}

/** NaN where the profile itself does not change its sign: the tabulated one was within its error of 0. */
function rootBetween(at: (u: number) => number, from: number, to: number): number {
  const [left, right] = [at(from), at(to)]
  if (left === 0) return from
  if (right === 0) return to
  return left * right < 0 ? bracketedRoot(at, [from, left], [to, right], tolerance) : NaN
}

function signOf({ values }: ProfileGrid): number {
  return Math.sign(values.find((value) => value !== 0) ?? 0)
}

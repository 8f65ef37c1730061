/**
 * Gamma of a book of options over the price x of the underlying, each option's volatility held and forwards moving with x.
 * In u = ln(x/S) an option's d1 is (u - centre) / width, so that, one factor 0.01 M x / sqrt(2 pi) > 0 aside, the gamma
 * in currency per 1 % of x is a sum of bells: g(u) = sum of weight e^(-d1^2 / 2). Signs and roots of both are the same.
 */
export interface GammaProfile {
  readonly count: number
  /** Signed contracts x D F/S / width. */
  readonly weight: Float64Array
  /** ln(K/F) - width^2 / 2. */
  readonly centre: Float64Array
  /** sigma sqrt(T). */
  readonly width: Float64Array
}

/** g(u), one exponential an option. */
export function profileAt({ count, weight, centre, width }: GammaProfile, u: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) {
    const d1 = (u - (centre[i] ?? NaN)) / (width[i] ?? NaN)
    sum += (weight[i] ?? NaN) * Math.exp(-0.5 * d1 * d1)
  }
  return sum
}

/** The same with every weight taken as positive. */
export function absoluteProfileAt({ count, weight, centre, width }: GammaProfile, u: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) {
    const d1 = (u - (centre[i] ?? NaN)) / (width[i] ?? NaN)
    sum += Math.abs(weight[i] ?? NaN) * Math.exp(-0.5 * d1 * d1)
  }
  return sum
}

/** g at u = (first + i) step. */
export interface ProfileGrid {
  readonly first: number
  readonly step: number
  readonly values: Float64Array
}

/** Steps are powers of two, so that nodes are exact and those of a coarse grid lie on the next finer one. */
const coarsestStep = 2 ** -6
const finestLevel = 8
/** Grids are refined to at least this step, 1.2e-4, though all bells be wide: two roots may lie close together. */
const leastLevel = 7
const nodesPerWidth = 4
/** Bells are cut off where they are below e^(-21) of their peak. */
const reach = 6.5
/** Nodes beyond either end, from which the next finer grid is interpolated. */
const padding = 12

/**
 * Tabulates g over from..to for about the price of a dozen evaluations. A bell is put on the coarsest grid that has four
 * nodes to its width, by a recurrence of two products a node, and each grid is then interpolated into the next finer
 * one. Error below 1e-7 of the absolute profile nearby, 1e-9 of the weights where bells are cut off.
 */
export function tabulateProfile(profile: GammaProfile, from: number, to: number): ProfileGrid {
  const { count, width } = profile
  let finest = leastLevel
  for (let i = 0; i < count; i++) finest = Math.max(finest, levelOf(width[i] ?? NaN))
  const grids = Array.from({ length: finest + 1 }, (_, level) => emptyGrid(coarsestStep / 2 ** level, from, to))
  for (let i = 0; i < count; i++) {
    const grid = grids[levelOf(width[i] ?? NaN)]
    if (grid) addBell(grid, profile, i)
  }
  return grids.reduce((coarse, fine) => {
    refine(coarse, fine)
    return fine
  })
}

/** Bells too narrow for the finest grid go there none the less: its nodes are as dense as any scan's. */
function levelOf(width: number): number {
  let level = 0
  for (let step = coarsestStep; level < finestLevel && width < nodesPerWidth * step; step /= 2) level++
  return level
}

function emptyGrid(step: number, from: number, to: number): ProfileGrid {
  const first = Math.floor(from / step) - padding
  const last = Math.ceil(to / step) + padding
  return { first, step, values: new Float64Array(last - first + 1) }
}

function addBell({ first, step, values }: ProfileGrid, { weight, centre, width }: GammaProfile, i: number): void {
  const c = centre[i] ?? NaN
  const w = width[i] ?? NaN
  const from = Math.max(0, Math.ceil((c - reach * w) / step) - first)
  const to = Math.min(values.length - 1, Math.floor((c + reach * w) / step) - first)
  if (!(from <= to)) return
  const d1 = ((from + first) * step - c) / w
  const d = step / w
  let value = (weight[i] ?? NaN) * Math.exp(-0.5 * d1 * d1)
  let ratio = Math.exp(-d * (d1 + 0.5 * d))
  const fall = Math.exp(-d * d)
  for (let at = from; at <= to; at++) {
    values[at] = (values[at] ?? NaN) + value
    value *= ratio
    ratio *= fall
  }
}

/** Lagrange's weights midway between six nodes on either side, nearest first. */
const midway = Array.from({ length: 6 }, (_, i) => {
  let product = 0.5
  for (let j = 0; j < 6; j++) {
    if (j !== i) product *= (j + 0.5) ** 2 / ((j + 0.5) ** 2 - (i + 0.5) ** 2)
  }
  return product
})

const [w0 = NaN, w1 = NaN, w2 = NaN, w3 = NaN, w4 = NaN, w5 = NaN] = midway

/** Adds a coarse grid to one of half its step. */
function refine({ values, first: coarseFirst }: ProfileGrid, { values: out, first }: ProfileGrid): void {
  const pair = (at: number, i: number) => (values[at - i] ?? NaN) + (values[at + 1 + i] ?? NaN)
  for (let at = 0; at < out.length; at++) {
    // Whole numbers all the way: a quotient and its floor would be worked out as doubles.
    const place = at + first
    const left = (place >> 1) - coarseFirst
    let value = values[left] ?? NaN
    if ((place & 1) !== 0) {
      value = w0 * pair(left, 0) + w1 * pair(left, 1) + w2 * pair(left, 2)
      value = value + w3 * pair(left, 3) + w4 * pair(left, 4) + w5 * pair(left, 5)
    }
    out[at] = (out[at] ?? NaN) + value
  }
}

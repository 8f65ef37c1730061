/**
 * A fixed geometric grid of volatilities, e^(i/8) from 0.055 % to 2,580 % a year, on which what is costly is computed once per
 * expiry and interpolated by the cubic through the four nearest nodes. A chain's volatilities touch about a dozen nodes.
 */

const perUnit = 8
const firstNode = -60
export const gridSize = 87

/** The volatilities the cubic reaches; beyond them the outermost cubic is used at the end of its range. */
export const lowestSigma = gridSigma(1)
export const highestSigma = gridSigma(gridSize - 3)

export function gridSigma(node: number): number {
  return Math.exp((node + firstNode) / perUnit)
}

/**
 * Writes the weights of nodes `n`, n+1, n+2, n+3 for interpolating in ln sigma (Lagrange) and returns n, which together with
 * the following three is on the grid whatever sigma is.
 */
export function locate(sigma: number, weights: Float64Array): number {
  const at = Math.log(sigma) * perUnit - firstNode
  const inside = at > 1 ? (at < gridSize - 3 ? at : gridSize - 3) : 1
  const node = Math.trunc(inside)
  const t = inside - node
  weights[0] = (-t * (t - 1) * (t - 2)) / 6
  weights[1] = ((t + 1) * (t - 1) * (t - 2)) / 2
  weights[2] = (-(t + 1) * t * (t - 2)) / 2
  weights[3] = ((t + 1) * t * (t - 1)) / 6
  return node - 1
}

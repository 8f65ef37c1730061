import { pi, Precise } from './high-precision.ts'

/**
 * Coefficients, constant first and rounded to doubles, of the polynomial in t that meets `value` at the Chebyshev nodes of
 * [-1/2, 1/2].
 */
export function interpolate(value: (t: Precise) => Precise, terms: number): number[] {
  const nodes = Array.from({ length: terms }, (_, k) => Precise.cos(pi.times(2 * k + 1).div(2 * terms)).div(2))
  // Newton's divided differences, then multiplied out.
  const differences = nodes.map(value)
  for (let level = 1; level < terms; level++) {
    for (let k = terms - 1; k >= level; k--) {
      const rise = at(differences, k).minus(at(differences, k - 1))
      differences[k] = rise.div(at(nodes, k).minus(at(nodes, k - level)))
    }
  }
  let power: Precise[] = []
  for (let k = terms - 1; k >= 0; k--) {
    const shifted = [new Precise(0), ...power]
    const node = at(nodes, k)
    power = shifted.map((c, j) => c.minus(node.times(power[j] ?? 0)))
    power[0] = at(power, 0).plus(at(differences, k))
  }
  return power.slice(0, terms).map(Number)
}

function at(values: readonly Precise[], index: number): Precise {
  return values[index] ?? new Precise(Number.NaN)
}

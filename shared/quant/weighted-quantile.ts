/**
 * Returns the lowest value whose cumulative weight, values taken in ascending order, reaches `mass`; the highest value when
 * none does, NaN without values. Linear time (quickselect); reorders the first `count` entries of both arrays.
 */
export function weightedQuantile(values: Float64Array, weights: Float64Array, count: number, mass: number): number {
  let left = 0
  let right = count - 1
  let below = 0
  while (left < right) {
    const pivot = medianOfThree(values[left] ?? NaN, values[(left + right) >>> 1] ?? NaN, values[right] ?? NaN)
    // Three-way partition: [left, less) < pivot, [less, more] = pivot, (more, right] > pivot.
    let less = left
    let more = right
    let massLess = 0
    let massEqual = 0
    for (let i = left; i <= more;) {
      const value = values[i] ?? NaN
      const weight = weights[i] ?? NaN
      if (value < pivot) {
        massLess += weight
        swap(values, weights, less++, i++)
      } else if (value > pivot) swap(values, weights, i, more--)
      else {
        massEqual += weight
        i++
      }
    }
    if (less > left && below + massLess >= mass) right = less - 1
    else if (below + massLess + massEqual >= mass || more >= right) return pivot
    else {
      below += massLess + massEqual
      left = more + 1
    }
  }
  return count > 0 ? (values[left] ?? NaN) : NaN
}

/** Half the weight lies at or below it. */
export function weightedMedian(values: Float64Array, weights: Float64Array, count: number): number {
  let total = 0
  for (let i = 0; i < count; i++) total += weights[i] ?? NaN
  return weightedQuantile(values, weights, count, total / 2)
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}

function swap(values: Float64Array, weights: Float64Array, i: number, j: number): void {
  const value = values[i] ?? NaN
  const weight = weights[i] ?? NaN
  values[i] = values[j] ?? NaN
  weights[i] = weights[j] ?? NaN
  values[j] = value
  weights[j] = weight
}

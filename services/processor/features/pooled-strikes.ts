import type { ExposedStrikes } from './exposures.ts'

/** Exposures of several expiries added up by strike, ascending. Units as in `ExposedStrikes`. */
export interface PooledStrikes {
  readonly strike: Float64Array
  /** Calls less puts. */
  readonly gex: Float64Array
  /** Calls and puts. */
  readonly gexAbs: Float64Array
  readonly callGex: Float64Array
  readonly putGex: Float64Array
  readonly dex: Float64Array
  readonly vex: Float64Array
  readonly cex: Float64Array
  readonly openInterest: Float64Array
  readonly nUsed: Uint32Array
}

/** Adds in the order given; the strikes of each part ascend. */
export function poolStrikes(parts: readonly ExposedStrikes[]): PooledStrikes {
  const strike = uniqueStrikes(parts)
  const column = () => new Float64Array(strike.length)
  const [gex, gexAbs, callGex, putGex, openInterest] = [column(), column(), column(), column(), column()]
  const [dex, vex, cex, nUsed] = [column(), column(), column(), new Uint32Array(strike.length)]
  for (const part of parts) {
    let at = 0
    for (let i = 0; i < part.count; i++) {
      const k = part.strike[i] ?? NaN
      while ((strike[at] ?? NaN) < k) at++
      const calls = part.callGex[i] ?? NaN
      const puts = part.putGex[i] ?? NaN
      gex[at] = (gex[at] ?? NaN) + calls - puts
      gexAbs[at] = (gexAbs[at] ?? NaN) + calls + puts
      callGex[at] = (callGex[at] ?? NaN) + calls
      putGex[at] = (putGex[at] ?? NaN) + puts
      dex[at] = (dex[at] ?? NaN) + (part.dex[i] ?? NaN)
      vex[at] = (vex[at] ?? NaN) + (part.vex[i] ?? NaN)
      cex[at] = (cex[at] ?? NaN) + (part.cex[i] ?? NaN)
      openInterest[at] = (openInterest[at] ?? NaN) + (part.openInterest[i] ?? NaN)
      nUsed[at] = (nUsed[at] ?? 0) + (part.nUsed[i] ?? 0)
    }
  }
  return { strike, gex, gexAbs, callGex, putGex, dex, vex, cex, openInterest, nUsed }
}

/** All strikes of the parts, ascending, each once. Merged part by part: sorting thousands takes as long as solving them. */
function uniqueStrikes(parts: readonly ExposedStrikes[]): Float64Array {
  const capacity = parts.reduce((sum, { count }) => sum + count, 0)
  let merged = new Float64Array(capacity)
  let other = new Float64Array(capacity)
  let length = 0
  for (const { strike, count } of parts) {
    length = mergeUnique(merged, length, strike, count, other)
    ;[merged, other] = [other, merged]
  }
  return merged.slice(0, length)
}

/** Merges two ascending lists into `out` and returns how many different values there are. */
function mergeUnique(a: Float64Array, aLength: number, b: Float64Array, bLength: number, out: Float64Array): number {
  let i = 0
  let j = 0
  let length = 0
  while (i < aLength || j < bLength) {
    const left = i < aLength ? (a[i] as number) : Infinity
    const right = j < bLength ? (b[j] as number) : Infinity
    if (left <= right) i++
    if (right <= left) j++
    out[length++] = left < right ? left : right
  }
  return length
}

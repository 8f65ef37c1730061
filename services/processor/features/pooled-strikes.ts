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

function uniqueStrikes(parts: readonly ExposedStrikes[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { count }) => sum + count, 0))
  let count = 0
  for (const part of parts) {
    all.set(part.strike, count)
    count += part.count
  }
  all.sort()
  let unique = 0
  for (const k of all) {
    if (unique === 0 || k !== all[unique - 1]) all[unique++] = k
  }
  return all.slice(0, unique)
}

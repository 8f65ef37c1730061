import { availableParallelism, loadavg } from 'node:os'

/** So long, and up to five times that on a machine with more to do than it has cores. Whole, as `AbortSignal.timeout` takes nothing else. */
export const patientMs = (ms: number, load = loadavg()[0] ?? 0): number =>
  Math.round(ms * Math.min(5, Math.max(1, load / availableParallelism())))

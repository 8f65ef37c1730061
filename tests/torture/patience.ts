import { availableParallelism, loadavg } from 'node:os'

/** So long, and up to five times that on a machine with more to do than it has cores. */
export const patientMs = (ms: number): number =>
  ms * Math.min(5, Math.max(1, (loadavg()[0] ?? 0) / availableParallelism()))

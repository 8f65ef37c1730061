import { readFileSync } from 'node:fs'

/** The kernel's clock tick as it reports it to programs, on every Linux there is. */
const ticksPerSecond = 100

/** Resident memory of a process now and at its highest; null where /proc is not. */
export function memoryOf(pid: number): { readonly rssMb: number; readonly peakRssMb: number } | null {
  const status = read(`/proc/${pid}/status`)
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status ?? '')?.[1])
  const found = { rssMb: Math.round(kilobytes('VmRSS') / 1024), peakRssMb: Math.round(kilobytes('VmHWM') / 1024) }
  return Number.isNaN(found.rssMb) ? null : found
}

/** CPU time of a process so far, user and system; null where /proc is not. */
export function cpuSecondsOf(pid: number): number | null {
  // The name in the second field may hold blanks; the fields behind its bracket do not.
  const fields = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')
  return fields === undefined ? null : (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** CPU seconds from one reading to a later one, to the hundredth that the kernel counts in. */
export const cpuBetween = (before: number | null | undefined, after: number | null): number | null =>
  before === null || before === undefined || after === null ? null : Math.round(100 * (after - before)) / 100

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

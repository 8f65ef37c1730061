export interface ProgressFacts {
  readonly done: number
  readonly total: number
  readonly unit: string
  /** Since it began. */
  readonly seconds: number
}

/** `committed 120 of 1264 messages, 60.0/s, 20 s left`. */
export function progressText(what: string, { done, total, unit, seconds }: ProgressFacts): string {
  const rate = done / seconds
  const eta = rate > 0 ? `, ${Math.ceil((total - done) / rate)} s left` : ''
  return `${what} ${amount(done)} of ${amount(total)} ${unit}, ${rate.toFixed(1)}/s${eta}`
}

const amount = (value: number): string => String(Math.round(value * 10) / 10)

/** Calls `show` at most every two seconds. */
export function sparsely(show: (text: string) => void): (text: () => string) => void {
  let shownMs = performance.now()
  return (text) => {
    if (performance.now() - shownMs < 2000) return
    shownMs = performance.now()
    show(text())
  }
}

/** `1.5 MiB`, in units of 1,024 as on the board of `strikeflow start`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${step === 0 ? bytes : (bytes / 1024 ** step).toFixed(1)} ${units[step]}`
}

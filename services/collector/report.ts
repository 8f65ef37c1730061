import type { Clock } from '../../shared/runtime/clock.ts'
import type { Progress } from './collector.ts'

const intervalMs = 2000

/** Returns a listener that writes a line of progress now and then: passes done, contracts a second, time left. */
export function createProgressReport(write: (line: string) => void, clock: Clock): (progress: Progress) => void {
  const startedMs = clock()
  let shownMs = startedMs
  let contracts = 0
  return ({ pass, result, done, planned, underlying }) => {
    if (result.kind === 'published') contracts += result.contracts
    const nowMs = clock()
    if (nowMs - shownMs < intervalMs) return
    shownMs = nowMs
    const seconds = (nowMs - startedMs) / 1000
    const rate = Math.round(contracts / seconds).toLocaleString('en-US')
    write(
      `pass ${pass.index + 1}${pass.total === null ? '' : ` of ${pass.total}`}, ${underlying}, ${rate} contracts/s${eta(pass, done / planned, seconds)}`,
    )
  }
}

function eta(pass: Progress['pass'], share: number, seconds: number): string {
  if (pass.total === null) return ''
  const finished = (pass.index + share) / pass.total
  return finished === 0 ? '' : `, about ${Math.ceil((seconds * (1 - finished)) / finished)} s left`
}

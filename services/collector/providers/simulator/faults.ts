import { StrikeflowError } from '../../../../shared/model/errors.ts'
import { type RefusalReason, refusalReasons } from '../../../../shared/model/snapshot.ts'

/** `unchanged`: the chain of the pass before it is given again. `skipped`: the market goes on and no pass begins. */
type FaultKind = RefusalReason | 'unchanged' | 'skipped'

/** Something that goes wrong on purpose, in passes counted from 0, both included. */
export interface Fault {
  /** A ticker, or `*` for all. */
  readonly underlying: string
  readonly kind: FaultKind
  readonly from: number
  readonly to: number
}

const kinds: readonly string[] = [...refusalReasons, 'unchanged', 'skipped']

/** Reads `AAPL timeout 5-8; * skipped 20-24`. Throws StrikeflowError `config` for anything else. */
export function parseFaults(text: string): readonly Fault[] {
  return text
    .split(';')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [, underlying = '', kind = '', from = '', to = from] =
        /^\s*(\S+)\s+(\w+)\s+(\d+)(?:-(\d+))?\s*$/.exec(part) ?? []
      const isKnown = kinds.includes(kind) && (kind !== 'skipped' || underlying === '*')
      if (!isKnown || Number(from) > Number(to)) {
        throw new StrikeflowError('config', `Expected faults such as "AAPL timeout 5-8; * skipped 20", was "${part}"`)
      }
      return { underlying, kind: kind as FaultKind, from: Number(from), to: Number(to) }
    })
}

/** The fault of an underlying in a pass; of several the first one named. */
export const faultAt = (faults: readonly Fault[], underlying: string, pass: number): Fault | undefined =>
  faults.find(
    (fault) => (fault.underlying === '*' || fault.underlying === underlying) && pass >= fault.from && pass <= fault.to,
  )

export const isSkipped = (faults: readonly Fault[], pass: number): boolean =>
  faults.some(({ kind, from, to }) => kind === 'skipped' && pass >= from && pass <= to)

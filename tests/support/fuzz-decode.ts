import { headerNames } from '../../shared/bus/messages.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { decodeSnapshot } from '../../shared/model/snapshot-codec.ts'
import { offences } from './allowed-snapshot.ts'
import { hostileMessage } from './hostile-messages.ts'

export interface FuzzCounts {
  /** By kind of mutation: decoded, refused. */
  readonly byKind: Record<string, { decoded: number; refused: number }>
  /** What must never happen, with the number of the message. */
  readonly offences: string[]
}

/** Decodes hostile messages, `from` up to `to`, and looks at what comes out. */
export function fuzzDecode(seed: number, from: number, to: number, onNext: (number: number) => void): FuzzCounts {
  const counts: FuzzCounts = { byKind: {}, offences: [] }
  for (let number = from; number < to; number += 1) {
    const { kind, headers, payload } = hostileMessage(seed, number)
    const of = (counts.byKind[kind] ??= { decoded: 0, refused: 0 })
    onNext(number)
    try {
      const snapshot = decodeSnapshot(
        payload.slice(),
        headers[headerNames.contentEncoding] ?? null,
        headers[headerNames.schema] ?? null,
      )
      of.decoded += 1
      for (const offence of offences(snapshot)) counts.offences.push(`message ${number} (${kind}): ${offence}`)
    } catch (error) {
      of.refused += 1
      if (error instanceof StrikeflowError && error.code === 'decode') continue
      counts.offences.push(`message ${number} (${kind}): ${String(error)}`)
    }
  }
  return counts
}

const lineOf = (name: string, decoded: number, refused: number): string =>
  `  ${name.padEnd(36)} ${String(decoded).padStart(7)} decoded ${String(refused).padStart(7)} refused`

/** One line a kind, for a person. */
export function countsText({ byKind }: FuzzCounts): string {
  const rows = Object.entries(byKind).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const decoded = rows.reduce((sum, [, counts]) => sum + counts.decoded, 0)
  const refused = rows.reduce((sum, [, counts]) => sum + counts.refused, 0)
  return [
    ...rows.map(([kind, counts]) => lineOf(kind, counts.decoded, counts.refused)),
    lineOf('all', decoded, refused),
  ].join('\n')
}

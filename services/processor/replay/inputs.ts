import type { Delivery } from '../../../shared/bus/ordered-source.ts'
import type { RangeRow } from '../../../shared/store/queries/replay.ts'

/** Which message is wanted, as its commit row names it. */
export type WantedMessage = Pick<
  RangeRow,
  'incarnation' | 'streamSeq' | 'messageId' | 'previousSeq' | 'marketTimeMs' | 'publishedAtMs'
>

export interface InputSource extends AsyncDisposable {
  readonly name: string
  /** The message, or why it is not there. Asked for in the order of the stream. */
  at(wanted: WantedMessage): Promise<Delivery | string>
}

export interface FoundInput {
  readonly delivery: Delivery
  readonly from: string
}

/** Asks one source after the other. Returns why none has it where that is so. */
export async function findInput(sources: readonly InputSource[], wanted: WantedMessage): Promise<FoundInput | string> {
  const reasons: string[] = []
  for (const source of sources) {
    const found = await source.at(wanted)
    if (typeof found !== 'string') return { delivery: found, from: source.name }
    reasons.push(`${source.name}: ${found}`)
  }
  return reasons.length === 0 ? 'there is neither a stream nor an archive to read' : reasons.join('; ')
}

import type { Place, Refused } from './ports.ts'

/** A message by its place in the stream. */
export interface MessagePlace extends Pick<Place, 'partition' | 'incarnation'> {
  readonly streamSeq: number
}

/**
 * So many messages may be refused one after the other with nothing stored in between. More than that is no fault of messages: a table
 * was altered, and every message would become a dead letter.
 */
const mostInARow = 8

/** Refusals of one message before it is believed: a single one may be of bytes that were spoilt on their way. */
const refusalsToBelieve = 2

/**
 * Messages of which the store has refused a flush that held nothing else, because of a value, and again when it was tried once more.
 * Each becomes a dead letter when its partition comes to it again. Kept in memory only: another owner finds them the same way.
 */
export class Unstorable {
  readonly #refusals = new Map<string, { readonly times: number; readonly refused: Refused }>()
  #inARow = 0

  /** Notes a refusal; false when it is the store that has to be mended. */
  note(place: MessagePlace, error: unknown): boolean {
    const key = keyOf(place)
    const times = (this.#refusals.get(key)?.times ?? 0) + 1
    if (times >= refusalsToBelieve) this.#inARow += 1
    if (this.#inARow > mostInARow) return false
    this.#refusals.set(key, { times, refused: { reason: 'unstorable', error } })
    return true
  }

  /** Makes known what was found before. */
  refuse(place: MessagePlace): void {
    const refused = { reason: 'unstorable', error: new Error('The tables have refused it before') }
    this.#refusals.set(keyOf(place), { times: refusalsToBelieve, refused })
  }

  /** Rows were written: the tables are as they should be. */
  stored(): void {
    this.#inARow = 0
  }

  /** Why a message cannot be stored; null as far as anybody knows. */
  refusalOf(place: MessagePlace): Refused | null {
    const found = this.#refusals.get(keyOf(place))
    return found === undefined || found.times < refusalsToBelieve ? null : found.refused
  }
}

const keyOf = ({ partition, incarnation, streamSeq }: MessagePlace): string =>
  `${partition} ${incarnation} ${streamSeq}`

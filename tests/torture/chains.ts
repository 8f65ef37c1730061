import { type ChainMessage, chainMessage } from '../support/delivery-stage.ts'

/** How large the chains are and how the rows of a flush lie in the tables. */
export interface Layout {
  /** Two contracts each. */
  readonly strikes: number
  /** Of market time, each a partition of a table of its own: every other underlying lives in the second. */
  readonly weeks: 1 | 2
}

export const smallChains: Layout = { strikes: 3, weeks: 1 }

/** Of the environment of a publisher. */
export const layoutFrom = (text: string | undefined): Layout =>
  text === undefined ? smallChains : (JSON.parse(text) as Layout)

const weekMs = 7 * 86_400_000

/** The chain of an underlying at a step: a function of these alone. */
export function chainIn({ strikes, weeks }: Layout, underlying: string, step: number): ChainMessage {
  const isLater = weeks === 2 && Number(/\d+$/.exec(underlying)?.[0] ?? 0) % 2 === 1
  return chainMessage({
    underlying,
    step,
    strikes: Array.from({ length: strikes }, (_, i) => (1_000 + (i - (strikes >> 1)) * (strikes > 20 ? 2 : 50)) / 10),
    shiftMs: isLater ? weekMs : 0,
  })
}

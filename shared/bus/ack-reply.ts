/** What the server says of a delivery in its reply subject. */
export interface DeliveryFacts {
  readonly consumer: string
  readonly streamSeq: number
  /** Counts this consumer's deliveries from 1; a hole means one was lost on the way. */
  readonly consumerSeq: number
  readonly storedAtMs: number
  /** Messages of this filter behind this one. */
  readonly pendingCount: number
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<deliveries>.<streamSeq>.<consumerSeq>.<nanoseconds>.<pending>`, and the form of servers
 * from 2.15 on, which has `<domain>.<account>` before the stream. Returns null for anything else.
 */
export function parseAckReply(reply: string): DeliveryFacts | null {
  const tokens = reply.split('.')
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return null
  const offset = tokens.length === 9 ? 2 : 4
  const [, consumer = '', , streamSeq, consumerSeq, nanoseconds = '', pending] = tokens.slice(offset)
  return {
    consumer,
    streamSeq: Number(streamSeq),
    consumerSeq: Number(consumerSeq),
    // Nanoseconds do not fit a number: the last six digits go as text.
    storedAtMs: Number(nanoseconds.slice(0, -6)),
    pendingCount: Number(pending),
  }
}

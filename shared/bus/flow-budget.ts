/**
 * Bytes the server may have under way to one connection. It cuts a client off at 64 MiB of unsent bytes (its default
 * `max_pending`), and the reconnect costs 30 to 60 s; so all sources on a connection share less than that.
 */
const connectionBytes = 48_000_000

/** One message of the largest size with its subject, reply and headers: less would stop a source at that message for ever. */
const smallestShareBytes = 1_150_000

export interface FlowBudget {
  /** Registers a reader; returns the way to give its share back. */
  join(): () => void
  /** Bytes one reader may have asked for and not yet handed on. */
  shareBytes(): number
}

/**
 * Divides by the readers expected, not by those that are there so far: the first one's request stays open at the server, and one
 * for everything would leave nothing for the others. Readers beyond the expected ones shrink the shares of later requests.
 */
export function createFlowBudget(expectedReaders: number, totalBytes: number = connectionBytes): FlowBudget {
  let readers = 0
  return {
    join() {
      let left = false
      readers += 1
      return () => {
        if (!left) readers -= 1
        left = true
      }
    },
    shareBytes: () => Math.max(smallestShareBytes, Math.floor(totalBytes / Math.max(expectedReaders, readers))),
  }
}

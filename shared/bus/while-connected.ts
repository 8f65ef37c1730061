import { StrikeflowError } from '../model/errors.ts'
import type { Bus } from './connect.ts'

/** Waits for an answer of the server, but no longer than the connection it would come on: rejects, retryable, when that is lost. */
export async function whileConnected<T>(bus: Bus, answer: Promise<T>): Promise<T> {
  const lost = Promise.withResolvers<never>()
  const release = bus.onStatus(() => lost.reject(new StrikeflowError('bus', 'connection lost', { retryable: true })))
  // The loser of the race has nobody who waits for it.
  answer.catch(() => {})
  try {
    return await Promise.race([answer, lost.promise])
  } finally {
    release()
  }
}

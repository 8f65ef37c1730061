import { setTimeout as delay } from 'node:timers/promises'
import { StoreError } from './connect.ts'

export interface RetryOptions {
  readonly signal: AbortSignal
  /** Called with each failure that is followed by another try. */
  readonly onError?: (error: StoreError, attempt: number) => void
}

const maxBackoffMs = 5000

/** Waits longer from failure to failure. */
export const backOff = (attempt: number, signal: AbortSignal): Promise<void> =>
  delay(Math.min(maxBackoffMs, 100 * 2 ** attempt), undefined, { signal })

/** Asks until the store answers, for as long as it takes; rejects for what another try cannot mend. */
export async function untilAnswered<T>(ask: () => Promise<T>, { signal, onError }: RetryOptions): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof StoreError) || !error.retryable) throw error
      onError?.(error, attempt)
      await backOff(attempt, signal)
    }
  }
}

import { setTimeout as delay } from 'node:timers/promises'

/**
 * Asks until the answer is not null or false; fails after the limit, naming what it waited for. The limit only ends a test whose
 * condition never comes, so it is long enough for a machine that has other work.
 */
export async function waitFor<T>(
  what: string,
  ask: () => T | null | false | undefined | Promise<T | null | false | undefined>,
  { timeoutMs = 300_000, intervalMs = 50 }: { readonly timeoutMs?: number; readonly intervalMs?: number } = {},
): Promise<T> {
  const until = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== null && answer !== undefined && answer !== false) return answer
    if (performance.now() > until) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await delay(intervalMs)
  }
}

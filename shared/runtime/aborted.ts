/** Resolves when the signal aborts, at once when it has. For once in the life of a process: the listener stays until then. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Resolves when the work is done or the signal aborts, whichever comes first; the work goes on. Leaves no listener behind. */
export async function doneOrAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>()
  const onAbort = (): void => over.resolve()
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) over.resolve()
  try {
    await Promise.race([work, over.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

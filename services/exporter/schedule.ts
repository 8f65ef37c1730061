/** What is known of one document between two looks at the store. */
export interface DocumentState {
  /** The change key it was last written under; null before the first time. */
  readonly writtenKey: string | null
  readonly writtenAtMs: number
  /** Since when another key is known; null when nothing is new. */
  readonly pendingSinceMs: number | null
  /** Not tried before this, after a failure. */
  readonly retryAtMs: number
}

export const unwritten: DocumentState = {
  writtenKey: null,
  writtenAtMs: Number.NEGATIVE_INFINITY,
  pendingSinceMs: null,
  retryAtMs: Number.NEGATIVE_INFINITY,
}

export interface Look {
  /** On a clock that never goes back. */
  readonly nowMs: number
  readonly key: string
  /** Nothing was committed since the look before. */
  readonly isQuiet: boolean
}

/** Returns the state with a new key noticed. */
export function noticed(state: DocumentState, { key, nowMs }: Look): DocumentState {
  if (key === state.writtenKey) return { ...state, pendingSinceMs: null }
  return { ...state, pendingSinceMs: state.pendingSinceMs ?? nowMs }
}

/** True when the document has to be written now: never written, too old, or changed and settled. */
export function isDue(
  state: DocumentState,
  { nowMs, isQuiet }: Look,
  { intervalMs, settleMs }: { readonly intervalMs: number; readonly settleMs: number },
): boolean {
  if (nowMs < state.retryAtMs) return false
  if (state.writtenKey === null || nowMs - state.writtenAtMs >= intervalMs) return true
  return state.pendingSinceMs !== null && (isQuiet || nowMs - state.pendingSinceMs >= settleMs)
}

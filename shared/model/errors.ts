/** Closed set of error codes; a code is a metric label and a stable field in logs. */
export const errorCodes = ['config', 'provider', 'decode', 'bus', 'store', 'fenced', 'timeout', 'internal'] as const
export type ErrorCode = (typeof errorCodes)[number]

export interface StrikeflowErrorOptions extends ErrorOptions {
  /** True when the same call may succeed later. @default false */
  readonly retryable?: boolean
}

/** An error classified once, at the boundary where it arose; inside, branch on `code` and `retryable`, never on text. */
export class StrikeflowError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, { retryable = false, ...options }: StrikeflowErrorOptions = {}) {
    super(message, options)
    this.name = 'StrikeflowError'
    this.code = code
    this.retryable = retryable
  }
}

/** Longest name of an underlying or a root. It goes into subjects, ids, file names and addresses of the API. */
export const maxTickerLength = 32

const pattern = /^[A-Za-z0-9.^&_-]{1,32}$/

/**
 * Tells whether a text can stand for an underlying or a root: `BRK.B`, `^SPX`, `_SPX`, `M&M`, `BAJAJ-AUTO`, `XRP_USDC`. The API
 * accepts the same names in its addresses, so nothing is stored that nobody can ask for.
 */
export const isTicker = (text: string): boolean => pattern.test(text)

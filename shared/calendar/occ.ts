import { rights } from '../model/snapshot.ts'
import { dayOf, digitsAt, isCivilDate } from './days.ts'

/** What an OCC option symbol says. */
export interface OccContract {
  readonly root: string
  /** Days since 1970-01-01. */
  readonly expiryDay: number
  /** 1 call, 2 put. */
  readonly right: 1 | 2
  /** In the currency of the underlying, three decimals at most. */
  readonly strike: number
}

/** Root of at most 6, date 6, right 1, strike 8. */
const paddedLength = 21
const tailLength = 15
const letterC = 67
const letterP = 80

/**
 * Parses an OCC symbol from the right, `IWM260622C00295000` or padded with blanks to 21 characters, `F     250912P00017000`.
 * Null for whatever is not exactly one: prefixes such as Polygon's `O:` are the adapter's to strip.
 */
export function parseOccSymbol(text: string): OccContract | null {
  if (typeof text !== 'string' || text.length <= tailLength || text.length > paddedLength) return null
  const tail = text.length - tailLength
  const root = rootOf(text, tail)
  const year = digitsAt(text, tail, 2)
  const month = digitsAt(text, tail + 2, 2)
  const day = digitsAt(text, tail + 4, 2)
  const letter = text.charCodeAt(tail + 6)
  const strikeThousandths = digitsAt(text, tail + 7, 8)
  if (root === null || year < 0 || !isCivilDate(2000 + year, month, day)) return null
  if ((letter !== letterC && letter !== letterP) || strikeThousandths <= 0) return null
  return {
    root,
    expiryDay: dayOf(2000 + year, month, day),
    right: letter === letterC ? rights.call : rights.put,
    strike: strikeThousandths / 1000,
  }
}

/** Capital letters and digits, at least one letter; blanks only after it and only up to the padded length. */
function rootOf(text: string, end: number): string | null {
  let length = end
  while (length > 0 && text.charCodeAt(length - 1) === 32) length--
  if (length === 0 || (length < end && text.length !== paddedLength)) return null
  let letters = 0
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    const isLetter = code >= 65 && code <= 90
    if (!isLetter && !(code >= 48 && code <= 57)) return null
    if (isLetter) letters++
  }
  return letters > 0 ? text.slice(0, length) : null
}

/**
 * Tells whether a root stands for a deliverable changed by a corporate action (SDS1 under SDS) or a mini (AAPL7): OCC marks
 * them with a digit behind the root. The digit of an underlying's own ticker is not taken for one.
 */
export function isAdjustedRoot(root: string, underlying: string): boolean {
  return endsWithDigit(root) && endsWithDigit(underlying) ? root !== underlying : endsWithDigit(root)
}

function endsWithDigit(text: string): boolean {
  return typeof text === 'string' && text.length > 0 && digitsAt(text, text.length - 1, 1) >= 0
}

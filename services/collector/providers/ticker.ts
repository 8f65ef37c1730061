/**
 * Tells whether text can stand for an underlying: printable ASCII without blanks, at most 32 characters. A provider's word goes
 * into subjects, ids and file names, so anything else is refused where it comes in.
 */
export const isTicker = (text: string): boolean => /^[!-~]{1,32}$/.test(text)

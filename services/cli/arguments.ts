import { access } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { isTicker } from '../../shared/model/ticker.ts'

/* Checks of what was typed, before anything is started. Each returns the text as it was, but for times. */

export function nonEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.')
  return text
}

export const wholeNumber =
  (min: number, max: number) =>
  (text: string): string => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
    }
    return text
  }

export function positiveNumber(text: string): string {
  if (text.trim() === '' || !(Number(text) > 0 && Number(text) < Number.POSITIVE_INFINITY)) {
    throw new InvalidArgumentError('Expected a number above 0.')
  }
  return text
}

export function speedFactor(text: string): string {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1_000_000)) {
    throw new InvalidArgumentError('Expected a number from 0 (as fast as possible) to 1000000.')
  }
  return text
}

/** Epoch milliseconds of a day (UTC) or an instant. */
export function instant(text: string): number {
  const timeMs = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
  if (Number.isNaN(timeMs) || !/Z$|[+-]\d\d:\d\d$|^\d{4}-\d\d-\d\d$/.test(text)) {
    throw new InvalidArgumentError('Expected a day (2026-06-22) or an instant with its zone (2026-06-22T13:30:00Z).')
  }
  return timeMs
}

export function tickers(text: string): string {
  const list = text.split(',').map((ticker) => ticker.trim())
  if (list.some((ticker) => !isTicker(ticker))) {
    throw new InvalidArgumentError('Expected tickers with commas between, such as SPY,AAPL.')
  }
  return text
}

/** A pattern no subject can match would wait for ever. */
export function subjectPattern(text: string): string {
  const tokens = text.split('.')
  const isGood = (token: string, i: number): boolean =>
    token === '*' || (token === '>' && i === tokens.length - 1) || /^[^\s*>]+$/.test(token)
  if (!tokens.every(isGood))
    throw new InvalidArgumentError("Expected a subject; * stands for one token, > for the rest, such as 'alerts.>'.")
  return text
}

/** Throws StrikeflowError `config` when there is nothing at the path. */
export async function existingPath(path: string): Promise<void> {
  await access(path).catch(() => {
    throw new StrikeflowError('config', `There is nothing at ${path}`)
  })
}

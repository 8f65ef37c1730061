import { z } from 'zod'

/** A `DateTime` or `DateTime64` of a UTC column as ISO 8601 with milliseconds. */
export const instant = z.string().transform((text) => new Date(`${text.replace(' ', 'T')}Z`).toISOString())

/** A JSON text made by ClickHouse: passed on as it is, never parsed on the way. */
export const jsonText = z.string()

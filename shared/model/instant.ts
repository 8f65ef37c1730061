import { z } from 'zod'

/** 2100-01-01. What lies beyond came from no clock, and `Date` or a column may refuse it. */
export const maxInstantMs = 4_102_444_800_000

/** Epoch milliseconds, as a message may state them. */
export const instantMs = z.int().min(0).max(maxInstantMs)

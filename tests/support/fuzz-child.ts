import { writeSync } from 'node:fs'
import { fuzzDecode } from './fuzz-decode.ts'

/*
 * Decodes hostile messages for a parent that watches it: before each message its number goes out, at once, so that the parent knows
 * which one this process hangs in or dies of; at the end the counts.
 */
const [seed = 1, from = 0, to = 0] = process.argv.slice(2).map(Number)
const counts = fuzzDecode(seed, from, to, (number) => writeSync(1, `${number}\n`))
writeSync(1, `${JSON.stringify(counts)}\n`)

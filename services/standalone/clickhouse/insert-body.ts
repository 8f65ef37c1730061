import { quote } from './literals.ts'
import type { InsertOfData } from './statement.ts'

/**
 * Rewrites an INSERT that takes its data from the request so that the engine reads the same data from a file.
 *
 * A plain INSERT becomes `INSERT … FROM INFILE … FORMAT x`: the engine's own client path, which keeps column matching,
 * defaults and the rules for unknown fields. `input(structure)` becomes `file(path, format, structure)`. COMPRESSION is
 * always named, since the engine would otherwise guess it.
 */
export function insertFromFile(sql: string, insert: InsertOfData, path: string): string {
  const { format, headEnd, formatAt, input } = insert
  if (input === undefined) {
    const settings = sql.slice(headEnd, formatAt)
    return `${sql.slice(0, headEnd)} FROM INFILE ${quote(path)} COMPRESSION 'none' ${settings} FORMAT ${format}`
  }
  const file = `file(${quote(path)}, ${quote(format)}, ${input.structure}, 'none')`
  return `${sql.slice(0, input.start)}${file}${sql.slice(input.end, formatAt)}`
}

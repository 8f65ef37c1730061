import { parseStatement, type Statement } from './statement.ts'
import { isReading, refusalOf } from './statement-rule.ts'

export interface JudgedStatement {
  readonly statement: Statement
  /** Why nobody may run it from the port; null when it is allowed. */
  readonly refusal: string | null
  /** It can change nothing, so a reader may run it. */
  readonly reads: boolean
}

const maxKept = 256
/** Longer texts hold data or long lists; they seldom come a second time. */
const maxKeptLength = 16_384

/** Judges statements and remembers the last ones: our services send the same few over and over. */
export class StatementJudge {
  readonly #kept = new Map<string, JudgedStatement>()

  /** Throws what ClickHouse answers to text that it refuses over HTTP, such as several statements. */
  judge(sql: string): JudgedStatement {
    const known = this.#kept.get(sql)
    if (known !== undefined) return known
    const statement = parseStatement(sql)
    const end = statement.kind === 'insert' ? statement.dataAt : sql.length
    const judged = { statement, refusal: refusalOf(sql, end), reads: isReading(sql) }
    if (sql.length <= maxKeptLength) this.#keep(sql, judged)
    return judged
  }

  #keep(sql: string, judged: JudgedStatement): void {
    if (this.#kept.size >= maxKept) {
      const [oldest] = this.#kept.keys()
      if (oldest !== undefined) this.#kept.delete(oldest)
    }
    this.#kept.set(sql, judged)
  }
}

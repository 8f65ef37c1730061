export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'symbol'
  readonly text: string
  readonly start: number
  readonly end: number
  /** Round and square brackets open before this token. */
  readonly depth: number
}

const wordStart = /[A-Za-z_0-9]/
const wordRest = /[\w.$]*/y
const heredocTag = /\$[^$]*\$/y

/**
 * Cuts ClickHouse SQL into tokens, lazily, because what follows an INSERT's format name is data and no SQL.
 * Comments and blanks are passed over; an unclosed string or comment runs to the end (the engine words that error).
 */
export function* tokensOf(sql: string): Generator<Token, void, undefined> {
  let at = 0
  let depth = 0
  for (;;) {
    at = pastBlanks(sql, at)
    const first = sql[at]
    if (first === undefined) return
    if (first === ')' || first === ']') depth -= 1
    const { kind, end } = tokenAt(sql, at, first)
    yield { kind, text: sql.slice(at, end), start: at, end, depth }
    if (first === '(' || first === '[') depth += 1
    at = end
  }
}

function tokenAt(sql: string, at: number, first: string): { kind: Token['kind']; end: number } {
  if (first === "'") return { kind: 'string', end: quotedEnd(sql, at, first) }
  if (first === '`' || first === '"') return { kind: 'quoted', end: quotedEnd(sql, at, first) }
  if (first === '$') {
    const tag = matchAt(heredocTag, sql, at)
    const close = tag === undefined ? -1 : sql.indexOf(tag, at + tag.length)
    if (tag !== undefined && close !== -1) return { kind: 'string', end: close + tag.length }
  }
  if (wordStart.test(first)) {
    // A name with dots (db.table, 1.5) is one word: only whole words are compared with keywords.
    return { kind: 'word', end: at + (matchAt(wordRest, sql, at)?.length ?? 1) }
  }
  return { kind: 'symbol', end: at + 1 }
}

function matchAt(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(sql)?.[0]
}

function pastBlanks(sql: string, from: number): number {
  let at = from
  for (;;) {
    while (at < sql.length && sql.charCodeAt(at) <= 32) at += 1
    if (sql.startsWith('--', at) || sql.startsWith('#!', at) || sql.startsWith('# ', at)) at = after(sql, '\n', at)
    else if (sql.startsWith('/*', at)) at = commentEnd(sql, at)
    else return at
  }
}

/** Comments of this kind nest, as the SQL standard has it. */
function commentEnd(sql: string, start: number): number {
  let at = start + 2
  for (let open = 1; open > 0; at += 2) {
    const close = sql.indexOf('*/', at)
    if (close === -1) return sql.length
    const inner = sql.indexOf('/*', at)
    const isInner = inner !== -1 && inner < close
    open += isInner ? 1 : -1
    at = isInner ? inner : close
  }
  return at
}

function after(sql: string, mark: string, from: number): number {
  const found = sql.indexOf(mark, from)
  return found === -1 ? sql.length : found + mark.length
}

function quotedEnd(sql: string, start: number, quote: string): number {
  let at = start + 1
  while (at < sql.length) {
    if (sql[at] === '\\') at += 2
    else if (sql[at] !== quote) at += 1
    else if (sql[at + 1] === quote) at += 2
    else return at + 1
  }
  return sql.length
}

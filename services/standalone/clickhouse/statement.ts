import { codes, exception } from './exceptions.ts'
import { type Token, tokensOf } from './tokens.ts'

/** What a request's SQL is, as far as this server must know to run it. */
export type Statement =
  | { readonly kind: 'empty' }
  /** Has a result and takes INTO OUTFILE at `outfileAt`. */
  | { readonly kind: 'read'; readonly outfileAt: number; readonly format: string | undefined }
  /** Takes its data from the text behind the format name and from the request body. */
  | InsertOfData
  /** Changes the session itself (SET, USE, temporary tables). */
  | { readonly kind: 'session'; readonly setsSettings: boolean }
  | { readonly kind: 'other'; readonly format: string | undefined }

export interface InsertOfData {
  readonly kind: 'insert'
  readonly format: string
  /** Where data may begin in the same text. */
  readonly dataAt: number
  /** Where the engine's own way to the data is put in: before SETTINGS, FORMAT or VALUES. */
  readonly headEnd: number
  /** Where the format clause begins; between it and `headEnd` stand the statement's settings. */
  readonly formatAt: number
  /** `input(structure)` of an INSERT … SELECT: offsets of the call and of its arguments. */
  readonly input?: { readonly start: number; readonly end: number; readonly structure: string }
}

const readVerbs = new Set(['SELECT', 'WITH', 'FROM', 'SHOW', 'DESCRIBE', 'DESC', 'EXISTS', '('])
const sessionVerbs = new Set(['SET', 'USE'])

/** Reads as much of the SQL as is needed; text behind an INSERT's format name is never looked at. */
export function parseStatement(sql: string): Statement {
  const tokens = tokensOf(sql)
  const first = tokens.next()
  if (first.done === true) return { kind: 'empty' }
  const verb = first.value.text.toUpperCase()
  if (verb === 'INSERT') return parseInsert(sql, tokens)
  const all = [first.value, ...tokens]
  refuseSeveral(sql, all)
  if (hasPair(all, 'INTO', 'OUTFILE')) throw exception(codes.intoOutfileNotAllowed, 'INTO OUTFILE is not allowed')
  if (sessionVerbs.has(verb)) return { kind: 'session', setsSettings: verb === 'SET' }
  if (verb === 'CREATE' && hasWord(all.slice(1, 5), 'TEMPORARY')) return { kind: 'session', setsSettings: false }
  const { at, format } = tailOf(sql, all)
  if (readVerbs.has(verb) && !hasPair(all, 'INSERT', 'INTO')) return { kind: 'read', outfileAt: at, format }
  return { kind: 'other', format }
}

function refuseSeveral(sql: string, all: readonly Token[]): void {
  const end = all.findIndex((token) => isSymbol(token, ';'))
  const next = end === -1 ? undefined : all.slice(end).find((token) => !isSymbol(token, ';'))
  if (end === -1 || next === undefined) return
  const position = (all[end]?.start ?? 0) + 1
  throw exception(
    codes.syntaxError,
    `Syntax error (Multi-statements are not allowed): failed at position ${position} (end of query): ; ${sql.slice(next.start, next.start + 60)}.`,
  )
}

/** Where the tail (`FORMAT x`, `SETTINGS …`, `;`) of a reading query begins, and the format it names. */
function tailOf(sql: string, all: readonly Token[]): { at: number; format: string | undefined } {
  const semicolon = all.find((token) => isSymbol(token, ';'))
  const tokens = all.filter((token) => !isSymbol(token, ';'))
  for (let i = tokens.length - 2; i > 0; i -= 1) {
    const token = tokens[i]
    const name = tokens[i + 1]
    const next = tokens[i + 2]
    if (token === undefined || name === undefined || token.depth > 0 || !isWord(token, 'FORMAT')) continue
    if (name.kind === 'word' && (next === undefined || isWord(next, 'SETTINGS'))) {
      return { at: token.start, format: name.text }
    }
  }
  return { at: semicolon?.start ?? tokens.at(-1)?.end ?? sql.length, format: undefined }
}

function parseInsert(sql: string, rest: Generator<Token, void, undefined>): Statement {
  const seen: Token[] = []
  let isSelect = false
  let named: Token | undefined
  let settingsAt: number | undefined
  for (const token of rest) {
    const before = seen.at(-1)
    seen.push(token)
    if (token.depth > 0) continue
    if (isName(before)) {
      named = token
      continue
    }
    if (isWord(before, 'FORMAT') && before !== named && token.kind === 'word')
      return insertOf(sql, seen, { token, isSelect, settingsAt })
    if (isSelect) continue
    if (isWord(token, 'INFILE'))
      throw exception(codes.unknownTypeOfQuery, 'Query has infile and was send directly to server')
    if (isWord(token, 'SETTINGS')) settingsAt = token.start
    if (isWord(token, 'SELECT') || isWord(token, 'WITH')) isSelect = true
    if (isWord(token, 'VALUES')) {
      return {
        kind: 'insert',
        format: 'Values',
        dataAt: token.end,
        headEnd: settingsAt ?? token.start,
        formatAt: token.start,
      }
    }
  }
  refuseSeveral(sql, seen)
  return { kind: 'other', format: undefined }
}

function insertOf(
  sql: string,
  seen: readonly Token[],
  found: { token: Token; isSelect: boolean; settingsAt: number | undefined },
): Statement {
  const formatAt = seen.at(-2)?.start ?? 0
  const input = found.isSelect ? inputCall(sql, seen) : undefined
  if (found.isSelect && input === undefined) return { kind: 'other', format: found.token.text }
  const common = {
    kind: 'insert',
    format: found.token.text,
    dataAt: dataStart(sql, found.token.end),
    formatAt,
  } as const
  if (input !== undefined) return { ...common, headEnd: formatAt, input }
  return { ...common, headEnd: found.settingsAt ?? formatAt }
}

function inputCall(sql: string, tokens: readonly Token[]): InsertOfData['input'] {
  const at = tokens.findIndex((token, i) => isWord(token, 'INPUT') && isSymbol(tokens[i + 1], '('))
  const open = tokens[at + 1]
  const name = tokens[at]
  if (at === -1 || open === undefined || name === undefined) return undefined
  const close = tokens.slice(at + 2).find((token) => isSymbol(token, ')') && token.depth === open.depth)
  if (close === undefined) return undefined
  return { start: name.start, end: close.end, structure: sql.slice(open.end, close.start).trim() }
}

/** ClickHouse passes over a semicolon, blanks and at most one line end between the format's name and the data. */
function dataStart(sql: string, formatEnd: number): number {
  const gap = /^\s*?;?[ \t\r\f\v]*\n?/.exec(sql.slice(formatEnd, formatEnd + 4096))?.[0] ?? ''
  return formatEnd + gap.length
}

/** A word behind INTO, TABLE or FUNCTION names the target and is no keyword. */
const isName = (before: Token | undefined): boolean =>
  before === undefined || isWord(before, 'INTO') || isWord(before, 'TABLE') || isWord(before, 'FUNCTION')

const isWord = (token: Token | undefined, word: string): boolean =>
  token?.kind === 'word' && token.text.length === word.length && token.text.toUpperCase() === word

const isSymbol = (token: Token | undefined, symbol: string): boolean =>
  token?.kind === 'symbol' && token.text === symbol

const hasWord = (tokens: readonly Token[], word: string): boolean => tokens.some((token) => isWord(token, word))

const hasPair = (tokens: readonly Token[], first: string, second: string): boolean =>
  tokens.some((token, i) => token.depth === 0 && isWord(token, first) && isWord(tokens[i + 1], second))

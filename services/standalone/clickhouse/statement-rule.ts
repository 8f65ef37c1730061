import {
  allowedEngines,
  refusedFormats,
  refusedSettings,
  refusedTableFunctions,
  refusedWords,
} from './forbidden-names.ts'
import { type Token, tokensOf } from './tokens.ts'

/**
 * Returns why a statement from the port is refused, or null when it may run. Reads `sql` up to `end`, where the data of an
 * INSERT begins.
 *
 * Only tables of this server's own databases may be touched: no file, no connection, no process and no state of the server.
 * The rule looks at every token, wherever it stands (in a view, a column's default, a subquery), because the engine calls
 * functions by bare and by quoted names in more places than a parser of ours would know. Where the engine's lexer and ours
 * could cut the text differently, the statement is refused.
 */
export function refusalOf(sql: string, end = sql.length): string | null {
  const tokens: Token[] = []
  for (const token of tokensOf(sql)) {
    if (token.start >= end) break
    const reason = unclearText(token)
    if (reason !== null) return reason
    if (!isSymbol(token, ';')) tokens.push(token)
  }
  return refusedVerb(tokens) ?? refusedPair(tokens) ?? refusedName(tokens)
}

/** True for a statement that cannot change anything. */
export const isReading = (sql: string): boolean => readingVerbs.has(upper(tokensOf(sql).next().value ?? undefined))

function unclearText({ kind, text }: Token): string | null {
  if (kind === 'quoted' && text.includes('\\')) return 'a backslash in a quoted name is not allowed'
  if ((kind === 'string' && text.startsWith('$')) || (kind !== 'string' && kind !== 'quoted' && text.includes('$')))
    return 'the character $ is allowed only inside quotes'
  if (kind === 'symbol' && !/[!-~]/.test(text)) return 'characters outside ASCII are allowed only inside quotes'
  return null
}

const readingVerbs = new Set(['SELECT', 'WITH', 'FROM', 'SHOW', 'DESCRIBE', 'DESC', 'EXISTS', 'EXPLAIN', 'USE', '('])
const writingVerbs = new Set(['INSERT', 'DELETE', 'UPDATE', 'OPTIMIZE', 'TRUNCATE', 'RENAME', 'EXCHANGE', 'CHECK'])
/** The kinds of things that these verbs may be used on. */
const kindsOf = new Map<string, ReadonlySet<string>>([
  ['CREATE', new Set(['TABLE', 'VIEW', 'DATABASE'])],
  ['ALTER', new Set(['TABLE'])],
  ['DROP', new Set(['TABLE', 'VIEW', 'DATABASE', 'INDEX'])],
])
/** Words between such a verb and the kind. */
const fillers = new Set(['OR', 'REPLACE', 'TEMPORARY', 'MATERIALIZED'])

function refusedVerb(tokens: readonly Token[]): string | null {
  const verb = upper(tokens[0])
  if (verb === '' || readingVerbs.has(verb)) return null
  if (verb === 'SET') {
    const target = upper(tokens[1])
    return target === 'ROLE' || target === 'DEFAULT' ? `SET ${target} is not allowed` : null
  }
  const kinds = kindsOf.get(verb)
  if (kinds === undefined) return writingVerbs.has(verb) ? refusedTarget(verb, tokens) : `${verb} is not allowed`
  const kind = upper(tokens.slice(1).find((token) => !fillers.has(upper(token))))
  if (!kinds.has(kind)) return `${verb} ${kind} is not allowed`
  const word = verb === 'ALTER' ? tokens.find((token) => refusedInAlter.has(upper(token))) : undefined
  if (word !== undefined) return `ALTER with ${upper(word)} is not allowed`
  return refusedTarget(verb, tokens) ?? refusedEngine(tokens)
}

/** They write outside the table's own folder, or take data from elsewhere. */
const refusedInAlter = new Set(['FREEZE', 'UNFREEZE', 'FETCH', 'DISK', 'VOLUME', 'EXPORT'])
const serverDatabases = new Set(['system', 'information_schema'])
const targetFillers = new Set(
  ['INTO', 'FROM', 'TABLE', 'TABLES', 'VIEW', 'DATABASE', 'IF', 'NOT', 'EXISTS', 'ALL', ...fillers].map(String),
)

/** The server's own databases are not written, and `default` stays: the engine opens its connections on it. */
function refusedTarget(verb: string, tokens: readonly Token[]): string | null {
  const changesNames = verb === 'RENAME' || verb === 'EXCHANGE'
  const at = tokens.findIndex((token, i) => i > 0 && !targetFillers.has(upper(token)))
  const targets = changesNames ? tokens.slice(1) : tokens.slice(Math.max(at, 0), at + 1)
  const names = targets.flatMap((token) => namesIn(token).slice(0, 1))
  const own = names.find((name) => serverDatabases.has(name))
  if (own !== undefined) return `${verb} is not allowed in the database ${own}`
  const isOfDatabase = (verb === 'DROP' || changesNames) && tokens.slice(1, 3).some((t) => upper(t) === 'DATABASE')
  return isOfDatabase && names.includes('default') ? `${verb} of the database default is not allowed` : null
}

function refusedEngine(tokens: readonly Token[]): string | null {
  for (const [i, token] of tokens.entries()) {
    if (upper(token) !== 'ENGINE') continue
    const next = isSymbol(tokens[i + 1], '=') ? tokens[i + 2] : tokens[i + 1]
    const [name] = next === undefined ? [] : namesIn(next)
    if (name !== undefined && !allowedEngines.has(name)) return `the engine ${name} is not allowed`
  }
  return null
}

const refusedPairs = new Map([
  ['ON', 'CLUSTER'],
  ['SQL', 'SECURITY'],
  ['PARALLEL', 'WITH'],
])

function refusedPair(tokens: readonly Token[]): string | null {
  for (const [i, token] of tokens.entries()) {
    const first = upper(token)
    const next = tokens[i + 1]
    if (first === 'DEFINER' && token.kind === 'word') return 'DEFINER is not allowed'
    if (next !== undefined && refusedPairs.get(first) === upper(next)) return `${first} ${upper(next)} is not allowed`
    if (first === 'FORMAT' && next !== undefined && namesIn(next).some((name) => refusedFormats.has(name)))
      return `the format ${next.text} is not allowed`
    if (namesIn(token).includes('disk') && (isSymbol(next, '(') || isSymbol(next, '='))) return 'disk is not allowed'
  }
  return null
}

function refusedName(tokens: readonly Token[]): string | null {
  for (const [i, token] of tokens.entries()) {
    const isCalled = isSymbol(tokens[i + 1], '(')
    for (const name of namesIn(token)) {
      if (refusedWords.has(name)) return `the name ${name} is not allowed: it reads or writes outside the database`
      if (refusedSettings.has(name)) return `the setting ${name} must not be changed`
      if (isCalled && refusedTableFunctions.has(name)) return `the function ${name} is not allowed`
      if (isCalled && name === 'format' && !isPattern(tokens[i + 2]))
        return 'the function format is allowed only with a pattern as its first argument'
    }
  }
  return null
}

/** Tells the scalar format('{}', x) from the table function, whose first argument is a format's name. */
const isPattern = (token: Token | undefined): boolean => token?.kind === 'string' && token.text.includes('{')

/** The names in a word (`db.table` is one) or in quotes, in lower case. */
function namesIn({ kind, text }: Token): readonly string[] {
  if (kind === 'word') return text.toLowerCase().split('.')
  if (kind === 'quoted') return [text.slice(1, -1).replaceAll('``', '`').replaceAll('""', '"').toLowerCase()]
  return []
}

const upper = (token: Token | undefined): string =>
  token === undefined || token.kind === 'string' || token.kind === 'quoted' ? '' : token.text.toUpperCase()

const isSymbol = (token: Token | undefined, symbol: string): boolean =>
  token?.kind === 'symbol' && token.text === symbol

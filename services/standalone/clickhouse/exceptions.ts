/** An error as ClickHouse words it; `statusOf` its code is the HTTP status. */
export class ClickHouseException extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.name = 'ClickHouseException'
    this.code = code
  }
}

/** Codes this server raises itself; all others come from the engine. */
export const codes = {
  unknownException: 1002,
  badArguments: 36,
  notImplemented: 48,
  syntaxError: 62,
  unknownSetting: 115,
  readonly: 164,
  requiredPassword: 194,
  tooManySimultaneousQueries: 202,
  networkError: 210,
  intoOutfileNotAllowed: 358,
  sessionNotFound: 372,
  sessionIsLocked: 373,
  queryWasCancelled: 394,
  tooManyRowsOrBytes: 396,
  accessDenied: 497,
  authenticationFailed: 516,
  unknownQueryParameter: 456,
  queryIsTooLarge: 229,
  unknownTypeOfQuery: 78,
} as const

const names: Readonly<Record<number, string>> = {
  36: 'BAD_ARGUMENTS',
  48: 'NOT_IMPLEMENTED',
  62: 'SYNTAX_ERROR',
  78: 'UNKNOWN_TYPE_OF_QUERY',
  115: 'UNKNOWN_SETTING',
  164: 'READONLY',
  194: 'REQUIRED_PASSWORD',
  202: 'TOO_MANY_SIMULTANEOUS_QUERIES',
  210: 'NETWORK_ERROR',
  229: 'QUERY_IS_TOO_LARGE',
  358: 'INTO_OUTFILE_NOT_ALLOWED',
  372: 'SESSION_NOT_FOUND',
  373: 'SESSION_IS_LOCKED',
  394: 'QUERY_WAS_CANCELLED',
  396: 'TOO_MANY_ROWS_OR_BYTES',
  456: 'UNKNOWN_QUERY_PARAMETER',
  497: 'ACCESS_DENIED',
  516: 'AUTHENTICATION_FAILED',
}

/** As in ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; every other code, READONLY too, is 500. */
const statusByCode = new Map<number, number>([
  ...entries(401, [194]),
  ...entries(403, [192, 193, 497, 512, 516]),
  ...entries(400, [6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441]),
  ...entries(400, [675, 676]),
  ...entries(404, [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511]),
  ...entries(408, [159]),
  ...entries(411, [381]),
  ...entries(413, [229]),
  ...entries(415, [779]),
  ...entries(501, [48]),
  ...entries(503, [76, 209, 439]),
])

function entries(status: number, errorCodes: readonly number[]): [number, number][] {
  return errorCodes.map((code) => [code, status])
}

export const statusOf = (code: number): number => statusByCode.get(code) ?? 500

/** Raises an error in ClickHouse's wording: `Code: 164. DB::Exception: … (READONLY)`. */
export function exception(code: number, text: string): ClickHouseException {
  return new ClickHouseException(code, `Code: ${code}. DB::Exception: ${text} (${names[code] ?? 'UNKNOWN_EXCEPTION'})`)
}

const repeatedPrefix = /^(Code: \d+\. DB::Exception: )+/
const repeatedVersion = / \(version [\d.]+(?: \([^)]*\))?\)\.? \([A-Z_\d]+\)$/
const spooledPath = /\s*:?\s*\(in file\/uri [^)]*\)/g

/** Turns what the engine threw into one exception, without the engine's doubled wrapping and this server's file paths. */
export function fromEngine(error: unknown): ClickHouseException {
  if (error instanceof ClickHouseException) return error
  const text = error instanceof Error ? error.message : String(error)
  const code = /^Code: (\d+)\./.exec(text)?.[1]
  if (code === undefined) return exception(codes.unknownException, text)
  const plain = text
    .trim()
    .replace(repeatedVersion, '')
    .replace(repeatedPrefix, `Code: ${code}. DB::Exception: `)
    .replaceAll(spooledPath, '')
  return new ClickHouseException(Number(code), plain)
}

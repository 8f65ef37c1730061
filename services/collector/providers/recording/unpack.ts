import { readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { constants, gunzip } from 'node:zlib'
import { type FetchRefusal, refused } from '../provider.ts'

const gunzipAsync = promisify(gunzip)

/** Largest file of lines once unpacked: ten times the widest recorded scan. */
export const maxLinesBytes = 1024 * 1024 * 1024
/** Largest document, a file of its own or a line: SPX has 12 MB. JSON of empty lists takes ten times its bytes in memory. */
export const maxDocumentBytes = 64 * 1024 * 1024

export interface Unpacked {
  readonly kind: 'unpacked'
  readonly bytes: Buffer
  /** Set when the packed file was cut off: `bytes` is what came before. */
  readonly truncated: boolean
}

/** Reads a file and unpacks it if it is gzip, which its first bytes say and not its name. */
export async function unpackFile(path: string, maxBytes: number): Promise<Unpacked | FetchRefusal> {
  let packed: Buffer
  try {
    const { size } = await stat(path)
    if (size > maxBytes) return refused('too_large', `has ${size} bytes, at most ${maxBytes} are read`)
    packed = await readFile(path)
  } catch (error) {
    return refused('unreachable', `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'no code'})`)
  }
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return { kind: 'unpacked', bytes: packed, truncated: false }
  try {
    return {
      kind: 'unpacked',
      bytes: await gunzipAsync(packed, { maxOutputLength: maxBytes }),
      truncated: false,
    }
  } catch (error) {
    const { code = 'no code' } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') return refused('too_large', `over ${maxBytes} bytes unpacked`)
    return code === 'Z_BUF_ERROR' ? salvage(packed, maxBytes) : refused('malformed', `gzip broken (${code})`)
  }
}

/** What a cut-off file still holds: lines before the cut are whole. */
async function salvage(packed: Buffer, maxBytes: number): Promise<Unpacked | FetchRefusal> {
  try {
    const bytes = await gunzipAsync(packed, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maxBytes })
    return { kind: 'unpacked', bytes, truncated: true }
  } catch (error) {
    return refused('malformed', `gzip broken (${(error as NodeJS.ErrnoException).code ?? 'no code'})`)
  }
}

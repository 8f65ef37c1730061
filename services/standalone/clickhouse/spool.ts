import { mkdirSync, openSync, closeSync, readdirSync, rmSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { codes, exception } from './exceptions.ts'

/** A file that carries bytes between a request and the engine. */
export interface SpoolFile {
  readonly path: string
  readonly bytes: number
  write(chunk: Uint8Array): void
  /** Ends writing; the engine may now read. */
  end(): void
  /** Idempotent; removes the file whether or not it was ever written. */
  remove(): void
}

export interface Spool extends Disposable {
  readonly directory: string
  create(kind: 'body' | 'result'): SpoolFile
}

export interface SpoolOptions {
  /** @default /dev/shm, or the temporary folder where that has less than 1 GiB */
  readonly directory?: string | undefined
  /** Of all bodies together, those that wait for a session too. */
  readonly maxBytes: number
}

const prefix = 'strikeflow-clickhouse-'
/** Below this /dev/shm (64 MB in a container) is too small for bodies and results of ordinary size. */
const minSharedMemoryBytes = 1024 ** 3

/**
 * Opens the folder for bodies and results, in memory where the machine has room for it, and removes what processes that
 * no longer live have left there.
 */
export function openSpool({ directory: wanted, maxBytes }: SpoolOptions): Spool {
  const root = wanted ?? (hasRoom('/dev/shm') ? '/dev/shm' : tmpdir())
  mkdirSync(root, { recursive: true })
  sweep(root)
  const directory = join(root, `${prefix}${process.pid}`)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { mode: 0o700 })
  let count = 0
  let held = 0
  const hold = (bytes: number): void => {
    if (held + bytes > maxBytes) {
      throw exception(
        codes.tooManySimultaneousQueries,
        `Too many request bodies at once: they pass ${maxBytes} bytes (maxSpoolBytes)`,
      )
    }
    held += bytes
  }
  return {
    directory,
    create(kind) {
      count += 1
      return spoolFile(join(directory, `${kind}-${count}`), hold)
    },
    [Symbol.dispose]() {
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Written synchronously: on a memory file system a write is a copy, faster than a turn through the thread pool. */
function spoolFile(path: string, hold: (bytes: number) => void): SpoolFile {
  let descriptor: number | undefined
  let bytes = 0
  return {
    path,
    get bytes() {
      return bytes
    },
    write(chunk) {
      hold(chunk.length)
      bytes += chunk.length
      descriptor ??= openSync(path, 'wx', 0o600)
      for (let at = 0; at < chunk.length;) at += writeSync(descriptor, chunk, at)
    },
    end() {
      descriptor ??= openSync(path, 'wx', 0o600)
      closeSync(descriptor)
      descriptor = undefined
    },
    remove() {
      if (descriptor !== undefined) closeSync(descriptor)
      descriptor = undefined
      hold(-bytes)
      bytes = 0
      try {
        unlinkSync(path)
      } catch {
        // Never written, or removed before.
      }
    },
  }
}

function hasRoom(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize >= minSharedMemoryBytes
  } catch {
    return false
  }
}

function sweep(root: string): void {
  for (const name of readdirSync(root)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : 0
    if (Number.isInteger(pid) && pid > 0 && !isAlive(pid)) rmSync(join(root, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

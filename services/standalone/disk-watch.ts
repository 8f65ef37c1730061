import { statfs } from 'node:fs/promises'
import type { Logger } from '../../shared/runtime/logger.ts'

/** A message may have 1 MiB, and ClickHouse writes parts of several: below this one or the other does not fit. */
const fullBelowBytes = 16 * 1024 * 1024
/** It counts as over only well above, so that what fills up again at once is one time and not many. */
const roomFromBytes = 64 * 1024 * 1024
const lookMs = 1_000

export interface DiskWatchOptions {
  /** Folders that may lie on file systems of their own; the fullest counts. */
  readonly folders: readonly string[]
  readonly log: Logger
  /** Called each time that there is room again after the disk was full. */
  readonly onRoomAgain: () => void
}

/** Knows whether the disk is full, and tells when it no longer is. */
export class DiskWatch implements Disposable {
  readonly #options: DiskWatchOptions
  readonly #timer: NodeJS.Timeout
  #isFull = false
  #freeBytes: number | null = null

  constructor(options: DiskWatchOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#look(), lookMs)
    void this.#look()
  }

  get isFull(): boolean {
    return this.#isFull
  }

  /** Of the fullest folder; null before the first look. */
  get freeBytes(): number | null {
    return this.#freeBytes
  }

  /** A write has failed for want of room, which may be over before the next look. */
  noteFull(): void {
    if (this.#isFull) return
    this.#isFull = true
    this.#options.log.error({ freeBytes: this.#freeBytes }, 'the disk is full, everything waits for room')
  }

  async #look(): Promise<void> {
    const free = await freeBytesOf(this.#options.folders)
    if (free === null) return
    this.#freeBytes = free
    if (free < fullBelowBytes) this.noteFull()
    else if (this.#isFull && free >= roomFromBytes) {
      this.#isFull = false
      this.#options.log.warn({ freeBytes: free }, 'the disk has room again')
      this.#options.onRoomAgain()
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

/** Null where the file system does not say, as for a folder that is just being made. */
async function freeBytesOf(folders: readonly string[]): Promise<number | null> {
  const all = await Promise.all(folders.map((folder) => statfs(folder).catch(() => null)))
  const known = all.filter((each) => each !== null).map(({ bavail, bsize }) => bavail * bsize)
  return known.length === 0 ? null : Math.min(...known)
}

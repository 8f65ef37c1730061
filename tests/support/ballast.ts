import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** What fills a small disk to its last byte, again each time it is told to, until it is taken away. */
export class Ballast implements Disposable {
  readonly #file: string

  constructor(directory: string) {
    this.#file = join(directory, 'ballast')
  }

  fill(): void {
    const file = openSync(this.#file, 'a')
    try {
      for (const bytes of [1024 * 1024, 4096, 1]) writeUntilFull(file, Buffer.alloc(bytes))
    } finally {
      closeSync(file)
    }
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(join(this.#file, '..'))
    return bavail * bsize
  }

  [Symbol.dispose](): void {
    rmSync(this.#file, { force: true })
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  try {
    for (;;) writeSync(file, block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

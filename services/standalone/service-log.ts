import { createWriteStream, type WriteStream } from 'node:fs'
import type { Logger } from '../../shared/runtime/logger.ts'

/** A file that failed is tried again this much later. */
const retryMs = 1_000
/** So much may wait for a slow disk; what comes then is left out. */
const mostWaitingBytes = 4 * 1024 * 1024

/**
 * The log file of a service. It survives a full disk and a folder that is gone: what cannot be written is left out and counted, the
 * file is opened again once a second, and a line in it says how much is missing.
 */
export class ServiceLog implements Disposable {
  readonly #file: string
  readonly #log: Logger
  #stream: WriteStream | null = null
  #openAtMs = 0
  #missing = 0

  constructor(file: string, log: Logger) {
    this.#file = file
    this.#log = log
  }

  /** Lines left out because the file could not be written, until it could again. */
  get missing(): number {
    return this.#missing
  }

  write(line: string): void {
    const stream = this.#opened()
    if (stream === null || stream.writableLength > mostWaitingBytes) {
      this.#missing += 1
      return
    }
    stream.write(`${line}\n`)
  }

  #opened(): WriteStream | null {
    if (this.#stream !== null || performance.now() < this.#openAtMs) return this.#stream
    const stream = createWriteStream(this.#file, { flags: 'a' })
    stream.on('error', (err) => this.#failed(stream, err))
    if (this.#missing > 0) this.#tellMissing(stream)
    this.#stream = stream
    return stream
  }

  #tellMissing(stream: WriteStream): void {
    const lines = this.#missing
    const note = { level: 40, time: Date.now(), lines, msg: 'log lines are missing: the file could not be written' }
    stream.write(`${JSON.stringify(note)}\n`, (error) => {
      if (error === null || error === undefined) this.#missing -= lines
    })
  }

  #failed(stream: WriteStream, err: Error): void {
    if (this.#stream !== stream) return
    this.#stream = null
    this.#openAtMs = performance.now() + retryMs
    // The line that failed, at least.
    if (this.#missing === 0) this.#log.error({ err, file: this.#file }, 'cannot write a service log')
    this.#missing += 1
  }

  [Symbol.dispose](): void {
    this.#stream?.end()
    this.#stream = null
  }
}

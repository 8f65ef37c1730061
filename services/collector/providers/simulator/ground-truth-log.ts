import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { isDiskFull } from '../../../../shared/runtime/disk-full.ts'
import type { InjectedEvent } from './events.ts'

/** Receives each event before the first snapshot that shows it is handed out. */
export type GroundTruthLog = (event: InjectedEvent) => void

/** What a full disk does not take waits here; a market injects a few events a minute. */
const mostWaiting = 100_000

/**
 * Appends events to a file, one JSON object a line. A second run over the same time writes the same ids again. Events that the disk
 * does not take are written with the next one that it takes.
 */
export function createGroundTruthLog(path: string): GroundTruthLog {
  const waiting: string[] = []
  unlessFull(() => mkdirSync(dirname(path), { recursive: true }))
  return (event) => {
    waiting.push(`${JSON.stringify(event)}\n`)
    if (waiting.length > mostWaiting) waiting.shift()
    if (unlessFull(() => appendWhole(path, waiting.join('')))) waiting.length = 0
  }
}

/** False when there is no room for it. */
function unlessFull(write: () => void): boolean {
  try {
    write()
    return true
  } catch (error) {
    if (!isDiskFull(error)) throw error
    return false
  }
}

/** Appends all of the text or nothing: half a line would spoil the next one. */
function appendWhole(path: string, text: string): void {
  const file = openSync(path, 'a')
  const { size } = fstatSync(file)
  try {
    const bytes = Buffer.from(text)
    for (let offset = 0; offset < bytes.byteLength;) offset += writeSync(file, bytes, offset)
  } catch (error) {
    ftruncateSync(file, size)
    throw error
  } finally {
    closeSync(file)
  }
}

import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { InjectedEvent } from './events.ts'

/** Receives each event before the first snapshot that shows it is handed out. */
export type GroundTruthLog = (event: InjectedEvent) => void

/** Appends events to a file, one JSON object a line. A second run over the same time writes the same ids again. */
export function createGroundTruthLog(path: string): GroundTruthLog {
  mkdirSync(dirname(path), { recursive: true })
  return (event) => appendFileSync(path, `${JSON.stringify(event)}\n`)
}

import type { Batch, Processed, RowCounts, RowTable, Stamp } from '../../services/processor/delivery/ports.ts'
import { rowTables } from '../../services/processor/delivery/ports.ts'

/** What one INSERT left in one table at one moment. */
export interface Part {
  readonly id: number
  readonly atMs: number
  readonly table: RowTable | 'commits' | 'epochs'
  /** A power cut can take it away again. */
  isLost: boolean
}

export interface NewRow {
  readonly table: RowTable
  readonly snapshotId: string
  readonly marketTimeMs: number
  readonly underlying: string
  readonly provider: string
  readonly ordinal: number
  readonly content: string
  readonly epoch: number
  readonly partition: number
}

export interface Row extends NewRow {
  readonly part: Part
}

export interface NewCommit {
  readonly incarnation: string
  readonly partition: number
  readonly streamSeq: number
  readonly previousSeq: number
  readonly messageId: string
  readonly outcome: Processed['outcome']
  readonly reason: string
  readonly snapshotId: string | null
  readonly underlying: string
  readonly provider: string
  readonly marketTimeMs: number
  readonly late: boolean
  readonly counts: RowCounts
  readonly epoch: number
}

export interface Commit extends NewCommit {
  readonly part: Part
}

/** What the simulated handler makes of a message: the content of each row. */
export type Content = Readonly<Record<RowTable, readonly string[]>>

/** The rows of one flush. */
export class SimulatedBatch implements Batch {
  readonly #rows: NewRow[] = []
  #commits: NewCommit[] = []

  get messages(): number {
    return this.#commits.length
  }

  get rows(): number {
    return this.#rows.length
  }

  add(processed: Processed, { epoch, incarnation }: Stamp, tables: readonly RowTable[]): void {
    const { partition, meta, outcome, reason, standing, counts, delivery } = processed
    const content = processed.content as Content | null
    const { snapshotId = null, underlying = '', provider = '', marketTimeMs = 0 } = meta ?? {}
    if (content !== null && snapshotId !== null) {
      for (const table of tables) {
        content[table].forEach((text, ordinal) => {
          const key = { snapshotId, marketTimeMs, underlying, provider, epoch, partition }
          this.#rows.push({ table, ordinal, content: text, ...key })
        })
      }
    }
    const { streamSeq, previousSeq, messageId } = delivery
    const place = { incarnation, partition, streamSeq, previousSeq, messageId: messageId ?? '' }
    const key = { snapshotId, underlying, provider, marketTimeMs }
    this.#commits.push({ ...place, ...key, outcome, reason, late: standing.late, counts, epoch })
  }

  filled(): readonly RowTable[] {
    return rowTables.filter((table) => this.#rows.some((row) => row.table === table))
  }

  rowsOf(table: RowTable): readonly NewRow[] {
    return this.#rows.filter((row) => row.table === table)
  }

  commits(): readonly NewCommit[] {
    return this.#commits.toSorted((a, b) => a.streamSeq - b.streamSeq)
  }

  reset(): void {
    this.#rows.length = 0
    this.#commits = []
  }
}

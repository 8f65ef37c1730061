import { z } from 'zod'

/*
 * What `strikeflow replay` and `strikeflow prove` ask of the processor's code, which runs as a process of its own, and what that
 * answers: one JSON line each on its standard output.
 */

export const inputSources = ['auto', 'stream', 'archive'] as const

const account = z.object({ url: z.string(), database: z.string(), user: z.string(), password: z.string() })

const inputs = z.object({
  source: z.enum(inputSources),
  /** Null where there is no stream to read. */
  nats: z
    .object({ servers: z.array(z.string()), user: z.string(), password: z.string(), token: z.string() })
    .nullable(),
  /** Null where there is no archive. */
  archive: z.string().nullable(),
})

const replayJob = z.object({
  kind: z.literal('replay'),
  store: account,
  inputs,
  /** Market time, inclusive; null = from the first message. */
  fromMs: z.int().nullable(),
  /** Market time, exclusive; null = to the last message. */
  toMs: z.int().nullable(),
  /** Null = all. */
  underlyings: z.array(z.string()).nullable(),
  /** Database the rows are written to. */
  into: z.string().regex(/^\w+$/),
  /** Drops a scratch database of an earlier replay that has this name. */
  replace: z.boolean(),
  compare: z.boolean(),
  /** Differences that are told one by one; all are counted. */
  listed: z.int().nonnegative(),
})

const proveJob = z.object({ kind: z.literal('prove'), store: account, inputs, alertId: z.uuid() })

export const jobSchema = z.discriminatedUnion('kind', [replayJob, proveJob])
export type Job = z.output<typeof jobSchema>
export type ReplayJob = z.output<typeof replayJob>
export type ProveJob = z.output<typeof proveJob>
export type InputOptions = z.output<typeof inputs>

/** Exit codes of `replay`; `prove` has the same, but for missing inputs, which are `usage` there. */
export const replayExit = { same: 0, differs: 1, usage: 2, missing: 3, notReproducible: 4, failed: 5 } as const

/** Something a row rests on that is nowhere any more. */
export interface MissingInput {
  /** What it is: a message or a state. */
  readonly what: string
  readonly why: string
}

/** Rows that this code, runtime and these parameters would not make again. */
export interface NotReproducible {
  readonly codeVersion: string
  readonly messages: number
  /** What differs, as far as the rows tell. */
  readonly reasons: readonly string[]
}

/** By column; values as ClickHouse writes them, null where missing. */
export interface ColumnDifference {
  readonly column: string
  readonly stored: string | null
  readonly replayed: string | null
}

export interface RowDifference {
  readonly table: string
  readonly key: Readonly<Record<string, string>>
  readonly kind: 'differing' | 'only stored' | 'only replayed'
  /** Empty unless differing. */
  readonly columns: readonly ColumnDifference[]
}

export interface TableComparison {
  readonly table: string
  /** Rows of the range. */
  readonly stored: number
  readonly replayed: number
  readonly differing: number
  readonly onlyStored: number
  readonly onlyReplayed: number
}

export interface Comparison {
  readonly same: boolean
  readonly tables: readonly TableComparison[]
  readonly rows: readonly RowDifference[]
  /** Places where the commit log says that a message came before, and has no row of it. */
  readonly brokenChain: readonly string[]
  /** Rows an owner left behind of messages that were given up: no part of what is stored. */
  readonly leftovers: number
}

export interface ReplayReport {
  readonly kind: 'replay'
  readonly into: string
  readonly messages: number
  readonly outcomes: Readonly<Record<string, number>>
  readonly contracts: number
  readonly alerts: number
  /** Messages by where they were read. */
  readonly readFrom: Readonly<Record<string, number>>
  readonly codeVersions: readonly string[]
  /** What the rows were computed with, a line each. */
  readonly parameters: readonly string[]
  /** Keys that began from a stored state. */
  readonly states: number
  readonly missing: readonly MissingInput[]
  readonly missingCount: number
  readonly notReproducible: readonly NotReproducible[]
  readonly seconds: number
  /** Null unless asked for, and when there is nothing to compare. */
  readonly comparison: Comparison | null
}

/** One figure of a proof. */
export interface ProofLine {
  readonly name: string
  readonly stored: string
  readonly rederived: string
  readonly same: boolean
}

export interface ProofReport {
  readonly kind: 'prove'
  readonly alertId: string
  readonly verdict: 'proven' | 'differs' | 'inputs missing' | 'not reproducible'
  /** The alert's sentence. */
  readonly message: string
  readonly inputs: readonly string[]
  /** What was remembered of its key before it: JSON, or words where there was nothing. */
  readonly stateBefore: string
  readonly parameters: readonly string[]
  readonly alert: readonly ProofLine[]
  readonly features: readonly ProofLine[]
  readonly state: readonly ProofLine[]
  readonly missing: readonly MissingInput[]
  readonly notReproducible: readonly NotReproducible[]
}

export interface ReplayProgress {
  readonly kind: 'progress'
  readonly done: number
  readonly total: number
  readonly seconds: number
}

export type ReplayLine = ReplayProgress | ReplayReport | ProofReport

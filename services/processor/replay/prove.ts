import type { AlertData } from '../../../shared/model/alert.ts'
import { chainFeatureSpecs } from '../../../shared/model/feature-registry.ts'
import type { MissingInput, ProofLine, ProofReport, ProveJob } from '../../../shared/model/replay.ts'
import type { SnapshotMeta } from '../../../shared/model/snapshot.ts'
import type { Store } from '../../../shared/store/connect.ts'
import {
  alertById,
  chainOf,
  type StoredCommit,
  storedCommits,
  type StoredRow,
} from '../../../shared/store/queries/proof.ts'
import {
  conventionsOf,
  incarnationsOf,
  readStatesOf,
  stateSnapshotBefore,
} from '../../../shared/store/queries/replay.ts'
import type { ProcessorSettings } from '../config.ts'
import { detectors } from '../detectors/index.ts'
import type { ChainContent } from '../flush.ts'
import { type KeyState, KeyStates } from '../key-states.ts'
import { findInput, type InputSource } from './inputs.ts'
import { inOrder } from './incarnations.ts'
import { type KnownParameters, resolveParameters } from './parameters.ts'
import { checkSchema } from './plan.ts'
import { replayHandler } from './program.ts'

export interface ProveDeps {
  readonly main: Store
  readonly inputs: readonly InputSource[]
  readonly settings: ProcessorSettings
  readonly version: string
}

type Blank = Pick<ProofReport, 'kind' | 'alertId' | 'message' | 'inputs' | 'stateBefore' | 'parameters'> &
  Pick<ProofReport, 'alert' | 'features' | 'state' | 'missing' | 'notReproducible'>

/**
 * Derives one alert again: the snapshot it names, the state stored before it, the parameters its rows were computed with, through
 * the processor's own code, in memory. Writes nothing anywhere.
 */
export async function prove({ alertId }: ProveJob, deps: ProveDeps): Promise<ProofReport> {
  const { query } = deps.main
  await checkSchema(deps.main)
  const stored = await alertById(query, alertId)
  if (stored === null) return missing(blank(alertId), [{ what: `alert ${alertId}`, why: 'no row has this id' }])
  const inputs = stored['inputs'] as readonly string[]
  const head = { ...blank(alertId), message: stored['message'] as string, inputs }
  const commits = await storedCommits(query, [...inputs, stored['snapshot_id'] as string])
  const uncommitted = inputs.filter((id) => !commits.has(id))
  const commit = commits.get(stored['snapshot_id'] as string)
  if (commit === undefined || uncommitted.length > 0) {
    const ids = commit === undefined ? [stored['snapshot_id'] as string] : uncommitted
    const why = 'no commit row says that it is stored'
    return missing(
      head,
      ids.map((id) => ({ what: `snapshot ${id}`, why })),
    )
  }
  return await rederive(stored, commit, head, deps)
}

async function rederive(stored: StoredRow, commit: StoredCommit, head: Blank, deps: ProveDeps): Promise<ProofReport> {
  const { query } = deps.main
  const conventions = await conventionsOf(query, [commit.codeVersion])
  const messages = new Map([[commit.codeVersion, 1]])
  const { known, unknown } = resolveParameters(messages, conventions, deps.settings, deps.version)
  const program = known[0]
  const otherVersion = otherDetector(stored)
  if (program === undefined || otherVersion !== null) {
    const reasons = otherVersion === null ? [] : [otherVersion]
    const own = { codeVersion: commit.codeVersion, messages: 1, reasons }
    return { ...head, verdict: 'not reproducible', notReproducible: reasons.length > 0 ? [own, ...unknown] : unknown }
  }
  const [found, before] = await Promise.all([findInput(deps.inputs, commit), stateBefore(deps.main, commit)])
  if (typeof found === 'string' || before === 'not stored') {
    const lacking: MissingInput[] = []
    const what = `message ${commit.messageId} at ${commit.streamSeq} of CHAINS (made ${commit.incarnation})`
    if (typeof found === 'string') lacking.push({ what, why: found })
    if (before === 'not stored') lacking.push({ what: 'the state before it', why: 'it is not stored' })
    return missing(head, lacking)
  }
  const content = compute(found.delivery, commit, before, program)
  const stateText = before === null ? 'none: the first of its key' : JSON.stringify(before)
  const derived = { ...head, parameters: [program.text], stateBefore: stateText }
  if (typeof content === 'string') {
    const line = { name: 'snapshot', stored: 'computed', rederived: content, same: false }
    return { ...derived, verdict: 'differs', alert: [line] }
  }
  return compared(stored, commit, content, derived, deps.main)
}

/** Other rules than those that raised it are here now; null when they are the same. */
function otherDetector(stored: StoredRow): string | null {
  const name = stored['detector'] as string
  const detector = detectors.find((each) => each.name === name)
  if (detector === undefined) return `there is no detector ${name} any more`
  const was = stored['detector_version'] as number
  return detector.version === was ? null : `detector ${name} was version ${was} and is ${detector.version} now`
}

async function stateBefore({ query, database }: Store, commit: StoredCommit): Promise<KeyState | null | 'not stored'> {
  const incarnations = inOrder(await incarnationsOf(query))
  const place = await stateSnapshotBefore(query, commit, incarnations)
  if (place === null) return null
  const text = (await readStatesOf(query, database, [{ ...commit, ...place }])).get(place.snapshotId)
  return text === undefined ? 'not stored' : (JSON.parse(text) as KeyState)
}

function compute(
  delivery: Parameters<ReturnType<typeof replayHandler>['open']>[0],
  { underlying, provider }: StoredCommit,
  before: KeyState | null,
  program: KnownParameters,
): ChainContent | string {
  const opened = replayHandler(program).open(delivery)
  if (!('meta' in opened)) return `${opened.reason}: ${(opened.error as Error).message}`
  const states = new KeyStates(false)
  if (before !== null) states.set({ underlying, provider }, before)
  const computed = opened.compute(states.standing(opened.meta), before ?? undefined)
  return 'reason' in computed
    ? `${computed.reason}: ${(computed.error as Error).message}`
    : (computed.content as ChainContent)
}

async function compared(
  stored: StoredRow,
  commit: StoredCommit,
  { snapshot, computed, alerts, state }: ChainContent,
  head: Blank,
  main: Store,
): Promise<ProofReport> {
  const own = alerts.find(({ id }) => id === head.alertId)
  const alert = alertLines(stored, own?.data ?? null, snapshot.meta)
  const chain = await chainOf(main.query, commit)
  const features = featureLines(chain, computed.chain as unknown as Readonly<Record<string, unknown>> | null)
  const after = await readStatesOf(main.query, main.database, [{ ...commit, atMs: commit.marketTimeMs }])
  const states = [lineOf('state', after.get(commit.snapshotId) ?? null, state)]
  const isSame = own !== undefined && [...alert, ...features, ...states].every(({ same }) => same)
  return { ...head, alert, features, state: states, verdict: isSame ? 'proven' : 'differs' }
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString().replace('T', ' ').slice(0, -1)

/** Every column of the alert's row but who wrote it when. */
function alertLines(
  stored: StoredRow,
  data: AlertData | null,
  { snapshotId, marketTimeMs }: Pick<SnapshotMeta, 'snapshotId' | 'marketTimeMs'>,
): readonly ProofLine[] {
  if (data === null) return [{ name: 'alert', stored: 'raised', rederived: 'not raised', same: false }]
  const rederived: Readonly<Record<string, unknown>> = {
    underlying: data.underlying,
    market_time: iso(marketTimeMs),
    snapshot_id: snapshotId,
    scan_id: data.scanId,
    provider: data.provider,
    detector: data.detector,
    detector_version: data.detectorVersion,
    parameters_hash: data.parametersHash,
    severity: data.severity,
    score: data.score,
    message: data.message,
    evidence: JSON.stringify(data.evidence),
    inputs: data.inputs,
    quality: data.quality,
    contract_completeness: data.contractCompleteness,
    slot_completeness: data.slotCompleteness,
    staleness_s: data.stalenessS,
    replayed: data.replayed,
  }
  const lines = Object.entries(rederived).map(([name, value]) => lineOf(name, stored[name], value))
  return [...lines, ...evidenceLines(stored['evidence'] as string, data.evidence)]
}

/** The figures of the evidence one by one, beside the text that holds them. */
function evidenceLines(stored: string, rederived: AlertData['evidence']): readonly ProofLine[] {
  const was = parsed(stored)
  return [...new Set([...Object.keys(was), ...Object.keys(rederived)])].map((name) =>
    lineOf(`evidence.${name}`, was[name] ?? null, rederived[name] ?? null),
  )
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}

/** Every feature of the chain row. */
function featureLines(
  stored: StoredRow | null,
  computed: Readonly<Record<string, unknown>> | null,
): readonly ProofLine[] {
  return Object.entries(chainFeatureSpecs).map(([name, { column }]) =>
    lineOf(column, stored?.[column] ?? null, computed?.[name] ?? null),
  )
}

/** Missing is NaN in a column's buffer, and null everywhere else. */
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : Number.isNaN(value) ? 'null' : Object.is(value, -0) ? '-0' : JSON.stringify(value)

function lineOf(name: string, was: unknown, is: unknown): ProofLine {
  const [stored, rederived] = [textOf(was ?? null), textOf(is ?? null)]
  return { name, stored, rederived, same: stored === rederived }
}

const blank = (alertId: string): Blank => ({
  kind: 'prove',
  alertId,
  message: '',
  inputs: [],
  stateBefore: '',
  parameters: [],
  alert: [],
  features: [],
  state: [],
  missing: [],
  notReproducible: [],
})

const missing = (head: Blank, inputs: readonly MissingInput[]): ProofReport => ({
  ...head,
  verdict: 'inputs missing',
  missing: inputs,
})

export const severities = ['info', 'warning', 'critical'] as const
export type Severity = (typeof severities)[number]

/**
 * What a detector found in one snapshot, a CloudEvents 1.0 JSON document on `alerts.<severity>.<detector>.<underlying>`.
 * `id` is deterministic: the same input gives the same id, so consumers deduplicate on it.
 */
export interface Alert {
  readonly specversion: '1.0'
  /** UUID; also `Nats-Msg-Id` and the key of `alerts_v1`. */
  readonly id: string
  readonly source: string
  readonly type: 'io.strikeflow.alert.v1'
  readonly subject: string
  /** Market time, ISO 8601 UTC. */
  readonly time: string
  readonly datacontenttype: 'application/json'
  readonly data: AlertData
}

export interface AlertData {
  readonly detector: string
  readonly detectorVersion: number
  /** 16 hex digits over the detector's parameters. */
  readonly parametersHash: string
  readonly severity: Severity
  /** 0..100. */
  readonly score: number
  readonly underlying: string
  readonly provider: string
  readonly scanId: string
  /** Snapshots the finding rests on, newest first. */
  readonly inputs: readonly string[]
  /** One sentence for a person. */
  readonly message: string
  /** The figures behind the finding; values rounded to the stored scale. */
  readonly evidence: Readonly<Record<string, number | string | null>>
  /** 0..100, of the chain it rests on. */
  readonly quality: number
  /** 0..1 and seconds, of that chain; null when nothing says. See docs/features.md. */
  readonly contractCompleteness: number | null
  readonly slotCompleteness: number | null
  readonly stalenessS: number | null
  readonly replayed: boolean
}

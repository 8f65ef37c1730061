import { createHash } from 'node:crypto'
import type { Alert } from '../../shared/model/alert.ts'
import type { ChainFeatures } from '../../shared/model/features.ts'
import { uuidOf } from '../../shared/model/uuid.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import type { Detector } from './detectors/detector.ts'
import { gateParameters } from './detectors/gate.ts'
import type { Detection } from './detectors/index.ts'

/** Makes the alert of a finding. Its id follows from detector, its version and the snapshot: the same input, the same id. */
export function toAlert({ meta }: Snapshot, { detector, finding }: Detection, chain: ChainFeatures): Alert {
  return {
    specversion: '1.0',
    id: alertId(detector, meta.snapshotId),
    source: `strikeflow/processor/${detector.name}`,
    type: 'io.strikeflow.alert.v1',
    subject: meta.underlying,
    time: new Date(meta.marketTimeMs).toISOString(),
    datacontenttype: 'application/json',
    data: {
      detector: detector.name,
      detectorVersion: detector.version,
      parametersHash: parametersHash({ ...gateParameters, ...detector.parameters }),
      severity: finding.severity,
      score: finding.score,
      underlying: meta.underlying,
      provider: meta.provider,
      scanId: meta.scanId,
      inputs: finding.inputs,
      message: finding.message,
      evidence: finding.evidence,
      quality: chain.quality ?? 0,
      contractCompleteness: chain.contractCompleteness,
      slotCompleteness: chain.slotCompleteness,
      stalenessS: chain.stalenessS,
      replayed: false,
    },
  }
}

/** The id of what a detector raises on a snapshot. */
export const alertId = ({ name, version }: Pick<Detector, 'name' | 'version'>, snapshotId: string): string =>
  uuidOf('alert', name, String(version), snapshotId)

const parametersHash = (parameters: Readonly<Record<string, number>>): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
    .slice(0, 16)

import type { Query } from './query.ts'

export interface SequenceRun {
  readonly fromSeq: number
  readonly toSeq: number
}

/** Sequences of a stream, from one up to below another, that no partition has a commit row of; as runs, the first so many. */
export async function uncommittedRuns(
  query: Query,
  created: string,
  { fromSeq, belowSeq }: { readonly fromSeq: number; readonly belowSeq: number },
  limit: number,
): Promise<readonly SequenceRun[]> {
  return query.rows<SequenceRun>(
    `SELECT before + 1 AS fromSeq, stream_seq - 1 AS toSeq FROM (
       SELECT stream_seq, lagInFrame(stream_seq, 1, toUInt64({fromSeq:UInt64} - 1)) OVER w AS before FROM (
         SELECT DISTINCT stream_seq FROM snapshots_v1
         WHERE (incarnation = {created:String} OR startsWith(incarnation, concat({created:String}, '#')))
           AND stream_seq >= {fromSeq:UInt64} AND stream_seq < {belowSeq:UInt64}
         UNION DISTINCT SELECT toUInt64({belowSeq:UInt64}) AS stream_seq
       ) WINDOW w AS (ORDER BY stream_seq ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     ) WHERE stream_seq > before + 1 ORDER BY fromSeq LIMIT {limit:UInt32}`,
    { created, fromSeq, belowSeq, limit },
  )
}

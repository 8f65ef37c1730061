import { StrikeflowError } from '../../../shared/model/errors.ts'
import { verifyArchive } from '../../../shared/archive/verify.ts'
import { bytesText, progressText, sparsely } from '../progress.ts'

/**
 * Reads every file and compares it with the manifest; prints what is wrong. Returns true when nothing is. Throws StrikeflowError
 * `config` where there is no file: of a wrong directory, or of one that was emptied, nothing can be said.
 */
export async function auditArchive({ directory, json }: { readonly directory: string; readonly json: boolean }) {
  const startedMs = performance.now()
  const show = sparsely((text) => console.error(text))
  const audit = await verifyArchive(directory, ({ bytes, totalBytes }) => {
    const facts = {
      done: bytes / 1e6,
      total: totalBytes / 1e6,
      unit: 'MB',
      seconds: (performance.now() - startedMs) / 1000,
    }
    show(() => progressText('verified', facts))
  })
  const { files, messages, contracts, bytes, runs, damaged, breaks, missingMessages, unlisted } = audit
  if (files === 0 && damaged.length === 0)
    throw new StrikeflowError('config', `Nothing is archived in ${directory}: nothing was verified`)
  const isWhole = damaged.length === 0 && breaks.length === 0
  if (json) {
    console.log(JSON.stringify({ directory, ok: isWhole, ...audit }))
    return isWhole
  }
  for (const { path, problem } of damaged) console.log(`damaged: ${path}: ${problem}`)
  for (const text of breaks) console.log(`broken: ${text}`)
  for (const path of unlisted)
    console.log(`note: ${path} has no entry; the next start of the archiver takes it in if it is whole`)
  if (missingMessages > 0)
    console.log(`note: ${missingMessages} messages were discarded by CHAINS before they could be archived`)
  const verdict = isWhole ? 'all files are whole' : `${damaged.length} damaged, ${breaks.length} breaks`
  console.log(
    `${files} files, ${messages} messages, ${contracts} contracts, ${bytesText(bytes)}, ${runs} runs: ${verdict}`,
  )
  return isWhole
}

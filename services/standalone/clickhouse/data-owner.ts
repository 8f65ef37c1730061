import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { claimOwnerFile } from '../../../shared/runtime/owner-file.ts'

/**
 * Makes this process the one owner of a data directory. chdb does not lock it, and two engines on one directory destroy
 * it. An owner that lives is named in the error; one that was killed is succeeded. A directory that holds something else than
 * an engine's files is refused.
 */
export function ownDataDirectory(dataDir: string): Disposable {
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, 'owner.json')
  if (!existsSync(file) && !isEngineDirectory(dataDir)) {
    throw new StrikeflowError(
      'config',
      `${dataDir} is neither empty nor a directory of ClickHouse: name another one, so that nothing is mixed up`,
    )
  }
  return claimOwnerFile(
    file,
    ({ pid }) => new StrikeflowError('config', `Data directory ${dataDir} belongs to the running process ${pid}`),
  )
}

function isEngineDirectory(path: string): boolean {
  const names = readdirSync(path).filter((name) => name !== 'lost+found')
  return names.length === 0 || (names.includes('metadata') && names.includes('store')) || names.includes('data')
}

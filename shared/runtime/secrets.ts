import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { StrikeflowError } from '../model/errors.ts'
import { createAtomically, writeAtomically } from './atomic-file.ts'

/** Where a stack keeps its secrets, below its data directory. */
export interface SecretFiles {
  readonly directory: string
  /** Password of the user `services` of ClickHouse and NATS: reads and writes everything. Only our own processes use it. */
  readonly services: string
  /** Password of the user `reader` of ClickHouse and NATS: reads, and changes nothing. */
  readonly reader: string
  /** Bearer token for the API's routes that change something. */
  readonly apiWrite: string
  /** The reader's name and password as a configuration file for `curl -K`. */
  readonly curlReader: string
}

export function secretFiles(dataDirectory: string): SecretFiles {
  const directory = join(dataDirectory, 'secrets')
  return {
    directory,
    services: join(directory, 'services'),
    reader: join(directory, 'reader'),
    apiWrite: join(directory, 'api-write'),
    curlReader: join(directory, 'curl-reader'),
  }
}

const secretBytes = 32
const privateFile = 0o600
const privateFolder = 0o700
/** Permission bits of the group and of everybody else. */
const othersMask = 0o077

/**
 * Makes the secrets that are missing and checks those that are there. Two processes may do this at the same moment: each file
 * appears whole, and both then use the one that came first. A secret whose file was deleted is made anew, which is how one
 * is rotated. Throws StrikeflowError `config` when another user could have read or placed one.
 */
export async function ensureSecrets(dataDirectory: string): Promise<SecretFiles> {
  const files = secretFiles(dataDirectory)
  await makePrivateFolder(files.directory)
  for (const path of [files.services, files.reader, files.apiWrite]) {
    if (!isThere(path)) await createAtomically(path, [Buffer.from(`${newSecret()}\n`)], privateFile)
    readStackSecret(path)
  }
  await writeCurlFile(files)
  return files
}

const newSecret = (): string => randomBytes(secretBytes).toString('base64url')

async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { mode: privateFolder }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  const stats = lstatSync(path)
  if (!stats.isDirectory()) throw refused(path, 'is not a folder')
  assertPrivate(path, stats, 'chmod 700')
}

/** True for anything of that name, a dangling link included: reading it then says what is wrong. */
const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** Follows the reader's secret, which may have been rotated since. */
async function writeCurlFile({ reader, curlReader }: SecretFiles): Promise<void> {
  const text = `# Used by curl -K. The user reader may read ClickHouse and change nothing.\nuser = "reader:${readStackSecret(reader)}"\n`
  if (isThere(curlReader) && readPrivateFile(curlReader, constants.O_NOFOLLOW) === text) return
  await writeAtomically(curlReader, [Buffer.from(text)], privateFile)
}

/** Reads a secret that `ensureSecrets` made. Throws StrikeflowError `config` when it is missing, a link, or not private. */
export function readStackSecret(path: string): string {
  const secret = readPrivateFile(path, constants.O_NOFOLLOW).trim()
  if (!/^[A-Za-z0-9_-]{32,}$/.test(secret))
    throw refused(path, 'does not hold a secret: delete it, and the next start makes a new one')
  return secret
}

/**
 * Reads a password for a server from a file named in the settings. Links are followed, and a file of root may be readable by
 * our group, because container platforms mount secrets in this way.
 */
export function readPasswordFile(path: string): string {
  const password = readPrivateFile(path, 0).replace(/\r?\n$/, '')
  if (password === '' || /[\r\n\0]/.test(password)) throw refused(path, 'does not hold a password in one line')
  return password
}

function readPrivateFile(path: string, flags: number): string {
  let file: number
  try {
    // A named pipe must not make us wait for its writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw refused(path, code === 'ELOOP' ? 'is a link' : `cannot be read (${code ?? 'unknown'})`, cause)
  }
  try {
    const stats = fstatSync(file)
    if (!stats.isFile()) throw refused(path, 'is not a regular file')
    if (stats.size > 4096) throw refused(path, 'is too large for a secret')
    const isMounted = flags === 0 && stats.uid === 0 && (stats.mode & 0o007) === 0
    if (!isMounted) assertPrivate(path, stats, 'chmod 600')
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function assertPrivate(path: string, { uid, mode }: Stats, remedy: string): void {
  const own = process.geteuid?.()
  if (own !== undefined && uid !== own) throw refused(path, `belongs to another user (uid ${uid}, not ${own})`)
  if ((mode & othersMask) !== 0)
    throw refused(path, `is open to other users (mode ${(mode & 0o777).toString(8)}): run ${remedy} on it`)
}

/** Names the file and never what is in it. */
const refused = (path: string, reason: string, cause?: unknown): StrikeflowError =>
  new StrikeflowError('config', `${path} ${reason}`, { cause })

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newerServersDir } from '../tests/support/nats-servers.ts'

/*
 * Brings the nats-servers of Debian's newer suites (`trixie sid`, or those named) for the tests that run on every server there is.
 * Unpacked, not installed: no root, no service, nothing outside the cache. Debian and its relatives only.
 */
const run = promisify(execFile)
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
const limitMs = 180_000

async function bring(suite: string): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'strikeflow-apt-'))
  try {
    const lists = join(work, 'lists')
    await mkdir(join(lists, 'partial'), { recursive: true })
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true })
    const sources = join(work, 'sources.list')
    await writeFile(sources, `deb [signed-by=${keyring}] http://deb.debian.org/debian ${suite} main\n`)
    const own = ['-o', `Dir::Etc::sourcelist=${sources}`, '-o', 'Dir::Etc::sourceparts=/dev/null']
    own.push('-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${join(work, 'cache')}`)
    await run('apt-get', [...own, 'update'], { cwd: work, timeout: limitMs })
    await run('apt-get', [...own, 'download', 'nats-server'], { cwd: work, timeout: limitMs })
    const deb = (await readdir(work)).find((file) => file.endsWith('.deb'))
    if (deb === undefined) throw new Error(`apt-get downloaded no nats-server of ${suite}`)
    await run('dpkg', ['-x', deb, 'content'], { cwd: work, timeout: limitMs })
    return await keep(join(work, 'content/usr/sbin/nats-server'))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Under its version; renamed into place, so that whoever looks at the same time sees a whole file or none. */
async function keep(binary: string): Promise<string> {
  const { stdout } = await run(binary, ['-v'])
  const version = /v?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`nats-server -v said ${stdout}`)
  const folder = join(newerServersDir(), version)
  await mkdir(folder, { recursive: true })
  const target = join(folder, 'nats-server')
  // The temporary folder may lie on another file system.
  await run('cp', [binary, `${target}.new`])
  await rename(`${target}.new`, target)
  return target
}

const suites = process.argv.length > 2 ? process.argv.slice(2) : ['trixie', 'sid']
for (const suite of suites) {
  try {
    process.stdout.write(`${suite}: ${await bring(suite)}\n`)
  } catch (error) {
    process.stderr.write(`${suite}: ${(error as Error).message.trim()}\n`)
    process.exitCode = 1
  }
}

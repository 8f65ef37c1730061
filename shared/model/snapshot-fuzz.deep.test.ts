import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { countsText, type FuzzCounts } from '../../tests/support/fuzz-decode.ts'

const messages = 200_000
const seed = 20_261_201
/** Of the processor, not of the clock: a busy machine may take its time. Making the next message is in it as well. */
const maxCpuSeconds = 3
const child = new URL('../../tests/support/fuzz-child.ts', import.meta.url).pathname

/** Seconds of processor time that a process has used. */
async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return ((user ?? 0) + (system ?? 0)) / 100
}

interface Ended {
  readonly counts: FuzzCounts | null
  /** The last message it began. */
  readonly number: number
  readonly why: string
}

/** Decodes messages in a process with a small heap, and ends it when it takes too long over one of them. */
async function decodeApart(from: number, to: number): Promise<Ended> {
  const limits = ['--max-old-space-size=256', '--max-semi-space-size=16']
  const decoder = spawn(process.execPath, [...limits, child, String(seed), String(from), String(to)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let [number, counts, why] = [from - 1, null as FuzzCounts | null, '']
  createInterface({ input: decoder.stdout }).on('line', (line) => {
    if (line.startsWith('{')) counts = JSON.parse(line) as FuzzCounts
    else number = Number(line)
  })
  let seen = { number, cpuSeconds: 0 }
  const judge = (cpuSeconds: number): void => {
    if (number !== seen.number) seen = { number, cpuSeconds }
    if (number < from || cpuSeconds - seen.cpuSeconds <= maxCpuSeconds) return
    why = `message ${number} took more than ${maxCpuSeconds} s`
    decoder.kill('SIGKILL')
  }
  const watching = setInterval(() => {
    void cpuSecondsOf(decoder.pid ?? 0).then(judge, () => {})
  }, 100)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    decoder.on('close', (...ended) => resolve(ended)),
  )
  clearInterval(watching)
  if (code !== 0 && why === '') why = `the process ended with ${code ?? signal} over message ${number}`
  return { counts, number, why }
}

it(
  `${messages.toLocaleString('en')} hostile messages hang and kill no decoder, and none decodes to what the model forbids`,
  {
    timeout: 3_600_000,
  },
  async () => {
    const all: FuzzCounts = { byKind: {}, offences: [] }
    for (let from = 0; from < messages; from += 20_000) {
      const { counts, why } = await decodeApart(from, Math.min(messages, from + 20_000))
      if (counts === null) all.offences.push(why)
      for (const [kind, { decoded, refused }] of Object.entries(counts?.byKind ?? {})) {
        const of = (all.byKind[kind] ??= { decoded: 0, refused: 0 })
        of.decoded += decoded
        of.refused += refused
      }
      all.offences.push(...(counts?.offences ?? []))
    }
    process.stdout.write(`${countsText(all)}\n`)
    expect(all.offences).toEqual([])
  },
)

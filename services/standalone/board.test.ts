import { describe, expect, it } from 'vitest'
import { type BoardDisk, type BoardFigures, renderBoard, Screen } from './board.ts'

const addresses = {
  api: 'http://127.0.0.1:8061',
  clickhouse: 'http://127.0.0.1:8123',
  nats: 'nats://127.0.0.1:4222',
  data: '/data',
  curlFile: 'data/secrets/curl-reader',
}
const services = [
  { spec: { name: 'processor' }, state: 'running', restarts: 2, lastEnd: 'hung for 21 s', pid: 41 },
] as const
const figures: BoardFigures = {
  snapshots: 1234,
  contracts: 5_678_901,
  alerts: 3,
  contractsPerSecond: 1500.4,
  latestMarketTime: '2026-11-16 14:51:00 UTC',
  latestAlerts: ['14:51:00  critical  SPX: 30-day IV 25.7 %, 9.4 points above its level'],
  refused: 0,
  archive: null,
  slots: null,
}
const disk: BoardDisk = { freeGib: 71.66, state: 'ok', missingLogLines: 0 }
const text = (some: Partial<BoardFigures> | null, silentSeconds = 0, shownDisk: Partial<BoardDisk> = {}): string =>
  renderBoard(services, some === null ? null : { ...figures, ...some }, addresses, {
    upSeconds: 3725,
    silentSeconds,
    disk: { ...disk, ...shownDisk },
  }).join('\n')

describe('the board', () => {
  it('shows services, figures, alerts and where to look', () => {
    const board = text({})
    expect(board).toContain('up 01:02:05')
    expect(board).toMatch(/processor +running +pid 41 +restarts 2 \(hung for 21 s\)/)
    expect(board).toContain('1,234 snapshots, 5,678,901 contracts, 3 alerts')
    expect(board).toContain('1,500 contracts/s')
    expect(board).toContain('SPX: 30-day IV 25.7 %')
    expect(board).toContain('http://127.0.0.1:8061/alerts/latest')
    expect(board).toContain('curl -K data/secrets/curl-reader')
  })

  it('says how far the archive is, and when it does not write', () => {
    const archive = { state: 'ok', filesWritten: 12, bytesWritten: 34_500_000, behind: 1200 }
    expect(text({ archive })).toMatch(/archive +12 files, 34.5 MB since the start, 1,200 messages not in a file yet/)
    expect(text({ archive })).not.toContain('NOT WRITING')
    expect(text({ archive: { ...archive, state: 'ENOSPC' } })).toContain('NOT WRITING: ENOSPC')
    expect(text({})).not.toContain('archive  ')
  })

  it('warns of a disk that is nearly full before it is', () => {
    expect(text({})).not.toContain('LOW')
    expect(text({}, 0, { state: 'low', freeGib: 3.21 })).toMatch(/3\.2 GiB free +LOW/)
  })

  it('says that the disk is full, also while ClickHouse does not answer, and which logs are incomplete', () => {
    const full = text(null, 30, { state: 'full', freeGib: 0, missingLogLines: 1200 })
    expect(full).toMatch(/0\.0 GiB free +FULL: .*goes on by itself/)
    expect(full).toMatch(/logs +1,200 lines could not be written/)
    expect(text({})).not.toContain('logs  ')
  })

  it('says how old its figures are when ClickHouse does not answer', () => {
    expect(text({}, 2)).not.toContain('not answered')
    expect(text({}, 24.4)).toContain('ClickHouse has not answered for 24 s')
  })

  it('says how many chains were refused, and where the reasons are', () => {
    expect(text({})).not.toContain('refused')
    expect(text({ refused: 21 })).toMatch(/refused +21 chains.*collector\.log/)
  })

  it('says how complete the session is, and why it is not', () => {
    const slots = { session: '2026-11-16', expected: 30_000, missing: 0, missingByReason: {} }
    expect(text({ slots })).toMatch(/slots +100\.00 % of 30,000 in session 2026-11-16\n/)
    const holes = { ...slots, missing: 1, missingByReason: { timeout: 1 } }
    expect(text({ slots: holes })).toMatch(/slots +99\.99 % of 30,000 .*, 1 missing: timeout 1 /)
    expect(text({})).not.toContain('slots')
  })

  it('has something to say before the first figures', () => {
    expect(text(null)).toContain('waiting for the first figures')
  })

  it('obeys nothing that an alert or a reason says to the terminal', () => {
    for (const isTTY of [true, false]) {
      let shown = ''
      const out = { isTTY, columns: 200, rows: 40, write: (chunk: string) => (shown += chunk) }
      const lines = text({ latestAlerts: ['SPX\u001b[2J\u001b]0;owned\u0007\u202e'] }).split('\n')
      new Screen(out as unknown as NodeJS.WriteStream).show(lines, lines.join(' '), 0)
      expect(shown).toContain(String.raw`SPX\x1b[2J`)
      for (const hostile of ['\u001b]', '\u001b[2J', '\u0007', '\u202e']) expect(shown).not.toContain(hostile)
    }
  })
})

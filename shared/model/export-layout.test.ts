import { describe, expect, it } from 'vitest'
import { encodeExport, exportChecksum, type ExportDocument, readExportLayout } from './export-layout.ts'

const timestamp = '2026-07-16T14:00:00.000Z'

async function encoded(document: Omit<ExportDocument, 'timestamp'>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(encodeExport({ timestamp, ...document })))
}

describe('an exported document', () => {
  it('is one JSON value with its time, its count and its rows', async () => {
    const bytes = await encoded({ name: 'alerts', count: 2, rows: ['{"id":1}', '{"id":2}'] })
    expect(JSON.parse(bytes.toString())).toMatchObject({
      export_timestamp: timestamp,
      alerts_count: 2,
      alerts: [{ id: 1 }, { id: 2 }],
    })
  })

  it('gives back its rows without parsing them, under the checksum it states', async () => {
    const rows = Array.from({ length: 50 }, (_, index) => JSON.stringify({ id: index, text: 'é'.repeat(50_000) }))
    const layout = readExportLayout('chains', await encoded({ name: 'chains', count: rows.length, rows }))
    expect(layout.rows.map(String)).toEqual(rows)
    expect(exportChecksum(layout.covered)).toBe(layout.checksum)
  })

  it('is valid with no rows at all', async () => {
    const bytes = await encoded({ name: 'scans', count: 0, rows: [] })
    expect(JSON.parse(bytes.toString())).toMatchObject({ scans_count: 0, scans: [] })
    expect(readExportLayout('scans', bytes)).toMatchObject({ count: 0, rows: [], timestamp })
  })

  it('is not written when its rows are not as many as it says', async () => {
    await expect(encoded({ name: 'scans', count: 3, rows: ['{}'] })).rejects.toThrow('Expected 3 rows')
    await expect(encoded({ name: 'scans', count: 1, rows: ['{}', '{}'] })).rejects.toThrow('Expected 1 rows')
  })

  it('is refused when any byte of it is missing', async () => {
    const bytes = await encoded({ name: 'alerts', count: 2, rows: ['{"id":1}', '{"id":2}'] })
    // Without its last line break it is still the whole value.
    for (let length = 0; length < bytes.length - 1; length++)
      expect(() => readExportLayout('alerts', bytes.subarray(0, length))).toThrow(/Expected/)
  })

  it('is refused when it is another document', async () => {
    const bytes = await encoded({ name: 'alerts', count: 0, rows: [] })
    expect(() => readExportLayout('scans', bytes)).toThrow('Expected scans to begin')
  })
})

import type { SnapshotMeta } from '../../shared/model/snapshot.ts'
import type { TableBuffer } from '../../shared/store/table-buffer.ts'
import type { commitRows } from '../../shared/store/tables.ts'

/** Appends to a commit row who published the message, under which number, and for which slot. */
export function appendPublication(
  columns: TableBuffer<typeof commitRows>['columns'],
  publisher: string | null,
  meta: SnapshotMeta | null,
): void {
  const { name, number } = publisherOf(publisher)
  const slot = meta?.slot
  columns.publisher.appendText(name)
  columns.publisher_seq.append(number)
  columns.exchange_zone.appendText(meta?.exchangeZone ?? '')
  columns.slot_at.append(slot?.atMs ?? 0)
  columns.slot_interval_ms.append(slot?.intervalMs ?? 0)
  columns.slot_lag_ms.append(meta === null || slot === undefined ? 0 : meta.receivedAtMs - meta.delayMs - slot.atMs)
}

/** `collector/1a2b/17` is boot `collector/1a2b` and its message 17; anything else says nothing. */
export function publisherOf(publisher: string | null): { readonly name: string; readonly number: number } {
  const [, name = '', number = '0'] = /^(.+)\/(\d{1,15})$/.exec(publisher ?? '') ?? []
  return { name, number: Number(number) }
}

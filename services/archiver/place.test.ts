import { describe, expect, it } from 'vitest'
import type { PlacedEntry } from '../../shared/archive/entry.ts'
import { placeArchive } from './place.ts'

const newest = { created: 'then', run: 1, fromSeq: 1, toSeq: 10, lastMessageId: 'm10' } as PlacedEntry

async function* none(): AsyncGenerator<PlacedEntry, void, void> {}

describe('the place where an archive goes on', () => {
  const place = (state: { created: string; firstSeq: number; lastSeq: number }, last: PlacedEntry | null = newest) =>
    placeArchive({
      stream: 'CHAINS',
      state,
      writer: { newest: last, entriesOf: none },
      messageIdAt: (streamSeq) => Promise.resolve(`m${streamSeq}`),
    })

  it('is behind the newest file', async () => {
    expect(await place({ created: 'then', firstSeq: 5, lastSeq: 12 })).toMatchObject({ run: 1, fromSeq: 11 })
  })

  it('is the beginning of a stream made anew, though it has discarded that: it shows as missing', async () => {
    expect(await place({ created: 'now', firstSeq: 5, lastSeq: 12 })).toMatchObject({ run: 2, fromSeq: 1 })
  })

  it('is the first message there is where nothing was ever archived', async () => {
    expect(await place({ created: 'now', firstSeq: 5, lastSeq: 12 }, null)).toMatchObject({ run: 1, fromSeq: 5 })
  })
})

import type { Bus } from '../../shared/bus/connect.ts'
import { messageAt } from '../../shared/bus/messages.ts'
import { openOrderedSource, type OrderedSource } from '../../shared/bus/ordered-source.ts'
import type { StreamProfile } from '../../shared/bus/stream-specs.ts'
import { ensureStreams, streamInfo } from '../../shared/bus/streams.ts'
import { rawFilter } from '../../shared/bus/subjects.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { createdOf } from './delivery/place.ts'
import type { ChainStream, OpenStream, StreamFacts } from './delivery/ports.ts'

const stream = 'CHAINS'

/** CHAINS as delivery reads it. Where it was deleted it is made anew: nobody else may be there to do it. */
export function createChainStream(bus: Bus, profile: StreamProfile, replicas: number): ChainStream {
  async function facts(): Promise<StreamFacts> {
    try {
      return await streamInfo(bus, stream)
    } catch (error) {
      if (!(error instanceof StrikeflowError) || error.retryable) throw error
      bus.log.error({ err: error, stream }, 'stream cannot be read, making sure that it is there')
      await passing(ensureStreams(bus, profile, { replicas }))
      return passing(streamInfo(bus, stream))
    }
  }

  return {
    facts,
    async messageIdAt(streamSeq) {
      const message = await passing(messageAt(bus, stream, streamSeq))
      return message === null ? null : { messageId: message.messageId ?? '' }
    },
    async open({ partition, incarnation, cursor }, cursorMessageId) {
      const last = cursorMessageId === null || cursor === 0 ? null : { streamSeq: cursor, messageId: cursorMessageId }
      const opening = openOrderedSource(bus, {
        stream,
        created: createdOf(incarnation),
        filterSubject: rawFilter(partition),
        fromSeq: cursor + 1,
        previousSeq: cursor,
        last,
      })
      return passingSource(await passing(opening))
    },
  }
}

function passingSource(source: OrderedSource): OpenStream {
  return {
    get buffered() {
      return source.buffered
    },
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      return { next: () => passing(iterator.next()) }
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  }
}

/** A stream that is gone, made anew or shorter ends this reading only: delivery places itself again in what is there then. */
async function passing<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (!(error instanceof StrikeflowError) || error.retryable) throw error
    throw new StrikeflowError('bus', error.message, { retryable: true, cause: error })
  }
}

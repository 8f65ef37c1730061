import { type DeliveryStage, openStage, waitForCommits } from '../support/delivery-stage.ts'
import { waitFor } from '../support/wait-for.ts'
import { chainIn, smallChains } from './chains.ts'
import { check, type Verdict } from './checker.ts'
import { readHistory, messageIdOf } from './history.ts'
import { undisturbed } from './reference.ts'

/** A stage with a publisher that cannot be killed: all it has published is acknowledged. */
export interface StagedRun extends AsyncDisposable {
  readonly stage: DeliveryStage
  /** Publishes the next chain of each of these little by little, so that there are many flushes, until something has happened. */
  publishUntil(underlyings: readonly string[], isOver: () => boolean | Promise<boolean>): Promise<void>
  publishSteps(underlyings: readonly string[], steps: number): Promise<void>
  /** Resolves when all that was published is committed. */
  settled(): Promise<void>
  /** Compares all that is there with an undisturbed run. */
  judge(): Promise<Verdict>
}

const longest = 400
/** There are alerts soon after it. */
const firstStep = 11

const idsOf = (underlying: string, steps: readonly number[]): readonly string[] =>
  steps.map((step) => messageIdOf(underlying, step))

export async function openStagedRun(): Promise<StagedRun> {
  const stage = await openStage()
  const steps = new Map<string, number[]>()
  let sent = 0

  async function publishStep(underlyings: readonly string[]): Promise<void> {
    const messages = underlyings.map((underlying) => {
      const own = steps.get(underlying) ?? []
      const step = firstStep + own.length
      steps.set(underlying, [...own, step])
      return chainIn(smallChains, underlying, step)
    })
    await stage.publish(messages)
    sent += messages.length
  }

  return {
    stage,
    async publishSteps(underlyings, count) {
      for (let i = 0; i < count; i += 1) await publishStep(underlyings)
    },
    async publishUntil(underlyings, isOver) {
      for (let i = 0; i < longest && !(await isOver()); i += 1) {
        await publishStep(underlyings)
        const goal = sent - underlyings.length
        await waitFor('commits, or the end', async () => (await isOver()) || (await stage.committed()) >= goal, {
          intervalMs: 10,
        })
      }
      await waitFor('the end', isOver)
    },
    settled: async () => void (await waitForCommits(stage, sent)),
    async judge() {
      const attempted = new Map([...steps].map(([underlying, own]) => [underlying, idsOf(underlying, own)]))
      const attempts = { attempted, acked: new Set([...attempted.values()].flat()) }
      const reference = await undisturbed(steps)
      return check(await readHistory({ bus: stage.bus, query: stage.store.query, attempts }, reference))
    },
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  }
}

import type { Faults } from './faults.ts'
import type { Random } from './random.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What all parts of a simulated run share. */
export interface World {
  readonly time: VirtualTime
  readonly random: Random
  readonly faults: Faults
  /** Writes a line of the trace; absent where nobody reads it. */
  readonly note: ((text: string) => void) | undefined
  /** A rule that was broken while the run went on. */
  readonly violated: (rule: string, text: string) => void
}

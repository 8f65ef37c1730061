import { constants, getPriority, setPriority } from 'node:os'

/**
 * Puts this process below those it was started beside, wherever they stand; threads begun later inherit it. A flush keeps as many
 * threads busy as there are cores and more; without this an alert would wait for them, and what they write can wait for the alert.
 */
export function stepBack(): void {
  const { PRIORITY_BELOW_NORMAL, PRIORITY_LOW } = constants.priority
  // Never up, which only root may.
  setPriority(Math.min(PRIORITY_LOW, getPriority() + PRIORITY_BELOW_NORMAL))
}

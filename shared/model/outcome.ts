/** Every message from CHAINS ends as exactly one of these, written in its commit row. */
export const outcomes = { stored: 1, duplicate: 2, dropped: 3, 'dead-lettered': 4 } as const
export type OutcomeName = keyof typeof outcomes

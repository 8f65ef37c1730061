/** Epoch milliseconds UTC. Injected wherever time matters, so that tests and the simulator can own it. */
export type Clock = () => number

export const systemClock: Clock = () => Date.now()

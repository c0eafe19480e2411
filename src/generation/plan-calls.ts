/** How many calls a request needs at a provider that makes few pictures at once, and with which seeds. */

export interface PlannedCall {
  n: number
  seed?: number
}

/**
 * Picture k has the seed `seed + k`, whichever call makes it. Behind the model's last seed they begin again at
 * its first, in a call of their own: the provider counts on by itself within one.
 */
export function planCalls(
  asked: { n: number; seed?: number },
  imagesPerCall: number,
  seeds: { min: number; max: number } = { min: 0, max: 2 ** 32 - 1 },
): PlannedCall[] {
  const calls: PlannedCall[] = []
  for (let made = 0; made < asked.n; made += calls.at(-1)?.n ?? 1) {
    const most = Math.min(imagesPerCall, asked.n - made)
    const seed = asked.seed === undefined ? undefined : wrapped(asked.seed + made, seeds)
    calls.push(seed === undefined ? { n: most } : { n: Math.min(most, seeds.max + 1 - seed), seed })
  }
  return calls
}

function wrapped(seed: number, { min, max }: { min: number; max: number }): number {
  return seed <= max ? seed : min + ((seed - min) % (max - min + 1))
}

/** How much memory a piece of work takes of this process, which Gesso and its upstream are part of. */

/** How far resident memory rises above where it was, in bytes, at its highest while `work` runs. */
export async function peakGrowth(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss()
  let peak = before
  const sample = () => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const timer = setInterval(sample, 5)
  await work().finally(() => clearInterval(timer))
  sample()
  return peak - before
}

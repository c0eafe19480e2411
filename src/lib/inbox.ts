/** Keeps what comes before anybody can take it. */

export interface Inbox<Item> {
  /** Hands the items on, or keeps them until it is opened. */
  take(items: readonly Item[]): void
  /** From now on every item, those that wait included, goes to `handle`. Once only. */
  open(handle: (item: Item) => void): void
}

export function createInbox<Item>(): Inbox<Item> {
  const waiting: Item[] = []
  let handler: ((item: Item) => void) | undefined
  return {
    take(items) {
      if (handler) items.forEach(handler)
      else waiting.push(...items)
    },
    open(handle) {
      handler = handle
      waiting.splice(0).forEach(handle)
    },
  }
}

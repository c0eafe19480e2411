/** One event of an event stream (WHATWG "Server-sent events"), as far as providers use it. */
export interface ServerEvent {
  /** The value of `event:`; `message` where there is none. */
  event: string
  /** The parsed `data:`, long base64 values as `Buffer`s; `undefined` when it is no JSON. */
  json: unknown
}

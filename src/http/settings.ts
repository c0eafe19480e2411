/** Where Gesso listens and how much it takes in. */
import { z } from 'zod'
import { httpUrl, text, wholeNumber } from '../lib/setting.ts'

export const httpSettings = z.strictObject({
  /** Address to listen on. */
  host: text('an address to listen on, such as 127.0.0.1 or 0.0.0.0').default('127.0.0.1'),
  /** Port to listen on; 0 picks a free one. */
  port: wholeNumber({ min: 0, max: 65_535 }).default(4100),
  /** How clients reach this server from outside; stands in every URL that is handed out. */
  public_url: httpUrl().optional(),
  /** The largest JSON body, after decompression. */
  body_limit_bytes: wholeNumber({ min: 1_024, max: 1_073_741_824 }).default(64 * 1024 * 1024),
  /** What all bodies that are being read may take together, after decompression; at least one largest body. */
  body_budget_bytes: wholeNumber({ min: 1_024, max: 1_099_511_627_776 }).default(256 * 1024 * 1024),
  /** How long a client may take to send its whole request. */
  request_timeout_ms: wholeNumber({ min: 1_000, max: 3_600_000 }).default(120_000),
  /** How long a connection is kept for a next request. */
  keep_alive_timeout_ms: wholeNumber({ min: 1_000, max: 3_600_000 }).default(75_000),
  /** How long a client may read nothing of its answer before it is cut off. */
  write_timeout_ms: wholeNumber({ min: 1_000, max: 3_600_000 }).default(60_000),
  /** How long a stream of events may be silent before a comment shows that the work goes on. */
  stream_comment_ms: wholeNumber({ min: 100, max: 600_000 }).default(10_000),
  /** What all streams together may hold of unfinished pictures that their clients have not read yet. */
  stream_buffer_bytes: wholeNumber({ min: 0, max: 1_099_511_627_776 }).default(64 * 1024 * 1024),
  /** How long running generations may finish after SIGTERM. */
  stop_timeout_ms: wholeNumber({ min: 0, max: 3_600_000 }).default(30_000),
})

export type HttpSettings = z.infer<typeof httpSettings>

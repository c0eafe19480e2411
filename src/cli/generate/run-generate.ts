/** The story of `gesso generate`: read the prompt, check the place for the files, ask, write, tell. */
import { z } from 'zod'
import { callApi } from '../api.ts'
import { type Connection, connect } from '../connect.ts'
import { type CommandFailure, usageFailure } from '../failure.ts'
import { interrupted, listenForInterrupt } from '../interrupt.ts'
import { createTalk, type Talk, writeJson, writeLines } from '../output.ts'
import type { PreviewMode } from '../preview/choose-preview.ts'
import { costText } from './cost-text.ts'
import { editForm, type Inputs, openInputs } from './edit-form.ts'
import { checkPlace, formatOfFile, type Place, placeOf } from './place.ts'
import { startProgress } from './progress.ts'
import { readPrompt } from './read-prompt.ts'
import { savePicture } from './save-picture.ts'

export interface GenerateOptions {
  model?: string
  output?: string
  image: string[]
  mask?: string
  size?: string
  aspectRatio?: string
  n?: number
  quality?: string
  style?: string
  background?: string
  format?: string
  compression?: number
  seed?: number
  negativePrompt?: string
  strength?: number
  enhance?: boolean
  watermark?: boolean
  bucket?: string
  preview: PreviewMode
  force?: boolean
  url?: string
  json?: boolean
  quiet?: boolean
}

const answerSchema = z.looseObject({
  id: z.string(),
  model: z.string(),
  data: z.array(z.looseObject({ b64_json: z.base64(), image_id: z.string() })).min(1),
  size: z.string(),
  output_format: z.string(),
  cost: z.object({ micros: z.int().nullable(), currency: z.string(), source: z.string() }),
  warnings: z
    .array(z.object({ param: z.string().nullable(), code: z.string(), message: z.string() }))
    .optional(),
})

type Answer = z.output<typeof answerSchema>

const defaultModel = 'gesso-collage'

/** Runs the command. Throws `CommandFailure`. */
export async function runGenerate(
  promptArgument: string,
  options: GenerateOptions,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const talk = createTalk(options)
  const place = placeOf(options.output)
  refuseImpossible(place, options)
  const prompt = await readPrompt(promptArgument, talk)
  const inputs = await openInputs(options)
  // Before anything is asked for: a picture that cannot be written would be paid for nothing.
  await checkPlace(place, { n: options.n ?? 1, force: options.force ?? false })
  if (options.model === undefined) {
    talk.say(
      `Using ${defaultModel}, the built-in illustrator. Choose another model with -m; \`gesso models\` lists them.`,
    )
  }

  let embedded = false
  using interrupt = listenForInterrupt(() => {
    if (embedded) talk.say(finishingFirst)
  })
  await using server = await connect({ url: options.url, env, talk })
  embedded = server.embedded
  const reply = await ask(server, requestBody(prompt, options), {
    talk,
    env,
    signal: interrupt.signal,
    inputs,
  })
  // The pictures are on the disk before anything else can go wrong.
  const pictures = reply.answer.data.map((entry) => Buffer.from(entry.b64_json, 'base64'))
  const paths = await saveAll(place, pictures, {
    prompt,
    answer: reply.answer,
    force: options.force ?? false,
  })

  if (options.json) {
    writeJson(asJson(reply, paths))
    return
  }
  const { showPreview } = await import('../preview/show-preview.ts')
  for (const bytes of pictures) await showPreview(bytes, { mode: options.preview, env, silent: talk.silent })
  tell(talk, reply)
  writeLines(paths)
}

function refuseImpossible(place: Place, options: GenerateOptions): void {
  if (place.kind !== 'stdout') return
  if (options.json)
    throw usageFailure('--output', '-o - writes the picture to stdout, where --json writes its object.')
  if ((options.n ?? 1) > 1)
    throw usageFailure('--output', '-o - takes one picture; leave --n away or name a folder.')
  if (process.stdout.isTTY) {
    throw usageFailure(
      '--output',
      '-o - writes bytes that a terminal cannot show; send them to a file or a pipe.',
    )
  }
}

function requestBody(prompt: string, options: GenerateOptions) {
  return {
    model: options.model ?? defaultModel,
    prompt,
    n: options.n,
    size: options.size,
    aspect_ratio: options.aspectRatio,
    quality: options.quality,
    style: options.style,
    background: options.background,
    output_format: options.format ?? formatOfFile(options.output),
    output_compression: options.compression,
    seed: options.seed,
    negative_prompt: options.negativePrompt,
    strength: options.strength,
    enhance_prompt: options.enhance,
    watermark: options.watermark,
    bucket: options.bucket,
    // One call brings the bytes, also where the server's public address cannot be reached from here.
    response_format: 'b64_json',
  }
}

interface Reply {
  answer: Answer
  requestId: string | undefined
  /** From the question to the answer. */
  seconds: number
}

async function ask(
  server: Connection,
  body: { model: string },
  {
    talk,
    env,
    signal,
    inputs,
  }: { talk: Talk; env: NodeJS.ProcessEnv; signal: AbortSignal; inputs: Inputs | undefined },
): Promise<Reply> {
  using progress = startProgress(body.model, { silent: talk.silent, env })
  const startedMs = performance.now()
  try {
    signal.throwIfAborted()
    const { value, requestId } = await callApi(server, {
      ...(inputs
        ? { path: '/v1/images/edits', body: editForm(body, inputs) }
        : { path: '/v1/images/generations', body }),
      answer: answerSchema,
      signal,
    })
    return { answer: value, requestId, seconds: Math.round((performance.now() - startedMs) / 10) / 100 }
  } catch (error) {
    progress[Symbol.dispose]()
    throw signal.aborted ? interruptedWhileAsking(server) : error
  }
}

async function saveAll(
  place: Place,
  pictures: readonly Buffer[],
  { prompt, answer, force }: { prompt: string; answer: Answer; force: boolean },
): Promise<string[]> {
  const paths: string[] = []
  for (const [index, bytes] of pictures.entries()) {
    const picture = {
      prompt,
      taskId: answer.id,
      format: answer.output_format,
      index,
      count: pictures.length,
      force,
    }
    const path = await savePicture(place, bytes, picture)
    if (path !== undefined) paths.push(path)
  }
  return paths
}

/** The API's answer with paths in the place of bytes. */
function asJson({ answer, requestId, seconds }: Reply, paths: readonly string[]): object {
  const data = answer.data.map(({ b64_json: _bytes, ...entry }, index) => ({ path: paths[index], ...entry }))
  return { ...answer, data, seconds, request_id: requestId }
}

const finishingFirst =
  'Interrupted: a picture under way is finished and kept first. Press Ctrl-C again to stop at once.'

/** What is true after Ctrl-C: the server does not stop a picture because nobody waits for it. */
function interruptedWhileAsking(connection: Connection): CommandFailure {
  return interrupted(
    connection.embedded
      ? 'Interrupted; no file was written. Gesso keeps the picture if its model finished it in time.'
      : `Interrupted. The server at ${connection.url} goes on with the picture, and it costs what it costs.`,
    connection.embedded
      ? undefined
      : "Its task id stands in the server's log when it is done; `gesso tasks get <id>` shows the picture then.",
  )
}

function tell(talk: Talk, { answer, seconds }: Reply): void {
  for (const warning of answer.warnings ?? []) talk.say(`Note: ${warning.message}`)
  const about = [answer.model, answer.size, `${seconds.toFixed(1)} s`, costText(answer.cost), answer.id]
  talk.say(about.join(' · '))
}

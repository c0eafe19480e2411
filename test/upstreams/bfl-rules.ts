/**
 * What the endpoints of Black Forest Labs accept, word for word as its OpenAPI description says it
 * (https://api.bfl.ai/openapi.json), and the words in which it refuses the rest. It ignores fields that it does not know;
 * they are refused here, because an ignored field is one that was lost.
 */
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { FakePicture } from './fake-picture.ts'
import type { RecordedRequest } from './record-request.ts'
import { type RecordedFile, recordFile } from './recorded-file.ts'

/** A refusal in FastAPI's format. */
export class BflRefusal extends Error {
  readonly status: number
  readonly detail: unknown

  constructor(status: number, detail: unknown) {
    super(JSON.stringify(detail))
    this.status = status
    this.detail = detail
  }
}

/** A call that was accepted, with the values that will be used. */
export interface BflCall {
  prompt: string
  seed?: number
  width: number
  height: number
  format: FakePicture['format']
  images: RecordedFile[]
  webhook?: { url: string; secret: string }
  /** In credits. */
  cost: number
  inputMegapixels: number
  outputMegapixels: number
}

interface Endpoint {
  schema: z.ZodType<Body>
  /** In credits: a call, and each further million pixels going in or out. */
  credits: { first: number; further?: number }
  pixels?: number
}

const bodyShape = z.looseObject({
  prompt: z.string().nullish(),
  seed: z.int().nullish(),
  width: z.int().nullish(),
  height: z.int().nullish(),
  aspect_ratio: z.string().nullish(),
  output_format: z.enum(['jpeg', 'png', 'webp']).nullish(),
  webhook_url: z.string().nullish(),
  webhook_secret: z.string().nullish(),
})
type Body = z.infer<typeof bodyShape>

const picture = z.string().nullish()
const common = {
  prompt: z.string(),
  seed: z.int().nullish(),
  output_format: z.enum(['jpeg', 'png', 'webp']).nullish(),
  webhook_url: z.url().max(2_083).nullish(),
  webhook_secret: z.string().nullish(),
}
const strictTo = (max: number) => ({ ...common, safety_tolerance: z.int().min(0).max(max).optional() })
const upsampling = { prompt_upsampling: z.boolean().nullish() }
const sampler = (steps: [number, number], guidance: [number, number]) => ({
  steps: z.int().min(steps[0]).max(steps[1]).nullish(),
  guidance: z.number().min(guidance[0]).max(guidance[1]).nullish(),
})

const edge16 = z.int().min(64).multipleOf(16).nullish()
const anySize = { width: edge16, height: edge16 }
const edge32 = z.int().min(256).max(1_440).multipleOf(32).optional()
const smallSize = { width: edge32, height: edge32 }
const ratio = {
  aspect_ratio: z
    .string()
    .regex(/^\d+:\d+$/)
    .refine((value) => Math.max(ratioOf(value), 1 / ratioOf(value)) <= 21 / 9, 'between 21:9 and 9:21')
    .nullish(),
}

function numbered(count: number): Record<string, typeof picture> {
  const names = Array.from(
    { length: count },
    (_, index) => `input_image${index === 0 ? '' : `_${index + 1}`}`,
  )
  return Object.fromEntries(names.map((name) => [name, picture]))
}

/** In the prose of FLUX.2's documentation, and not in its schema. */
function upToFourMegapixels({ width, height }: { width?: number | null; height?: number | null }): boolean {
  return (width ?? 0) * (height ?? 0) <= 4_194_304
}
const tooLarge = { path: ['width'], message: 'Output must be at most 4 megapixels' }

const flux2 = z
  .strictObject({ ...strictTo(5), ...anySize, ...numbered(8), disable_pup: z.boolean().optional() })
  .refine(upToFourMegapixels, tooLarge)
const flex = z
  .strictObject({
    ...strictTo(5),
    ...anySize,
    ...numbered(8),
    ...upsampling,
    ...sampler([1, 50], [1.5, 10]),
  })
  .refine(upToFourMegapixels, tooLarge)
const klein = z
  .strictObject({ ...strictTo(5), ...anySize, ...numbered(4) })
  .refine(upToFourMegapixels, tooLarge)
const kontext = z.strictObject({ ...strictTo(6), ...ratio, ...numbered(4), ...upsampling })
const pro11 = z.strictObject({ ...strictTo(6), ...smallSize, ...upsampling, image_prompt: picture })
const ultra = z.strictObject({
  ...strictTo(6),
  ...ratio,
  ...upsampling,
  image_prompt: picture,
  image_prompt_strength: z.number().min(0).max(1).optional(),
  raw: z.boolean().optional(),
})
const fill = z.strictObject({
  ...strictTo(6),
  ...upsampling,
  ...sampler([15, 50], [1.5, 100]),
  image: z.string(),
  mask: picture,
})
const dev = z.strictObject({
  ...strictTo(6),
  ...smallSize,
  ...upsampling,
  ...sampler([1, 50], [1.5, 5]),
  image_prompt: picture,
})

const endpoints: ReadonlyMap<string, Endpoint> = new Map(
  Object.entries<Endpoint>({
    'flux-2-pro': { schema: flux2, credits: { first: 3, further: 1.5 } },
    'flux-2-pro-preview': { schema: flux2, credits: { first: 3, further: 1.5 } },
    'flux-2-max': { schema: flux2, credits: { first: 7, further: 3 } },
    'flux-2-flex': { schema: flex, credits: { first: 5, further: 5 } },
    'flux-2-klein-4b': { schema: klein, credits: { first: 1.4, further: 0.1 } },
    'flux-2-klein-9b': { schema: klein, credits: { first: 1.5, further: 0.2 } },
    'flux-kontext-pro': { schema: kontext, credits: { first: 4 } },
    'flux-kontext-max': { schema: kontext, credits: { first: 8 } },
    'flux-pro-1.1': { schema: pro11, credits: { first: 4 } },
    'flux-pro-1.1-ultra': { schema: ultra, credits: { first: 6 }, pixels: 4_194_304 },
    'flux-pro-1.0-fill': { schema: fill, credits: { first: 5 } },
    'flux-dev': { schema: dev, credits: { first: 2.5 } },
  }),
)

/** Reads a call, or throws `BflRefusal`. The base64 in the request's body is replaced by what is remembered of it. */
export async function readCall(request: RecordedRequest): Promise<BflCall> {
  const endpoint = endpoints.get(request.path.replace('/v1/', ''))
  if (!endpoint || request.method !== 'POST') throw new BflRefusal(404, 'Not Found')
  const parsed = endpoint.schema.safeParse(request.body)
  if (!parsed.success)
    throw new BflRefusal(
      422,
      parsed.error.issues.flatMap((one) => complaints(one, request.body)),
    )
  const { recorded, images, mask } = await recordPictures(parsed.data)
  request.body = recorded
  const body = bodyShape.parse(parsed.data)
  const [first] = images
  if (endpoint.schema === fill && first) checkMask(first, mask)
  const size = sizeOf(body, first, endpoint)
  const outputMegapixels = Math.max(1, Math.ceil((size.width * size.height) / 1_048_576))
  const inputMegapixels = images.reduce(
    (sum, one) => sum + Math.max(1, Math.ceil(pixelsOf(one) / 1_048_576)),
    0,
  )
  const { first: base, further = 0 } = endpoint.credits
  return {
    prompt: body.prompt ?? '',
    ...(typeof body.seed === 'number' ? { seed: body.seed } : {}),
    ...size,
    format: body.output_format ?? (endpoint.schema === kontext ? 'png' : 'jpeg'),
    images,
    ...(body.webhook_url ? { webhook: { url: body.webhook_url, secret: body.webhook_secret ?? '' } } : {}),
    cost: Number((base + further * (outputMegapixels - 1 + inputMegapixels)).toFixed(2)),
    inputMegapixels,
    outputMegapixels,
  }
}

/** FastAPI repeats what it complains about. */
function complaints(issue: z.core.$ZodIssue, body: unknown): object[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      type: 'extra_forbidden',
      loc: ['body', key],
      msg: 'Extra inputs are not permitted',
      input: z.looseObject({}).safeParse(body).data?.[key],
    }))
  }
  return [{ type: issue.code, loc: ['body', ...issue.path], msg: issue.message, input: body }]
}

const pictureName = /^(input_image(_\d)?|image|image_prompt|mask)$/

async function recordPictures(body: Body) {
  const recorded: Record<string, unknown> = { ...body }
  const images: RecordedFile[] = []
  let mask: RecordedFile | undefined
  for (const [name, value] of Object.entries(body)) {
    if (!pictureName.test(name) || typeof value !== 'string') continue
    const file = await readPicture(name, value)
    recorded[name] = file
    if (name === 'mask') mask = file
    else images.push(file)
  }
  return { recorded, images, mask }
}

/** Base64 and nothing around it. */
async function readPicture(name: string, base64: string): Promise<RecordedFile> {
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && base64.length % 4 === 0
  const file = isBase64 && (await recordFile(Readable.from([Buffer.from(base64, 'base64')]), {}))
  if (file && ['png', 'jpeg', 'webp'].includes(file.format ?? '')) return file
  throw new BflRefusal(422, [
    { type: 'value_error', loc: ['body', name], msg: 'Invalid base64 image', input: base64 },
  ])
}

/** Black and white, as large as the picture, and without transparency. */
function checkMask(image: RecordedFile, mask: RecordedFile | undefined): void {
  if (!mask) throw new BflRefusal(422, [{ type: 'missing', loc: ['body', 'mask'], msg: 'Field required' }])
  const fits = mask.width === image.width && mask.height === image.height
  if (fits && mask.hasAlpha === false) return
  const msg = fits ? 'Mask must be black and white' : 'Mask dimensions must match the image'
  throw new BflRefusal(422, [{ type: 'value_error', loc: ['body', 'mask'], msg }])
}

function sizeOf(body: Body, first: RecordedFile | undefined, { schema, pixels }: Endpoint) {
  if (body.width && body.height) return { width: body.width, height: body.height }
  if (schema === pro11 || schema === dev) return { width: body.width ?? 1_024, height: body.height ?? 768 }
  if (schema === fill) return { width: first?.width ?? 1, height: first?.height ?? 1 }
  const ofPicture = first ? `${first.width}:${first.height}` : schema === ultra ? '16:9' : '1:1'
  const shape = ratioOf(body.aspect_ratio ?? ofPicture)
  const edge = (length: number) => Math.max(64, Math.floor(length / 16) * 16)
  const area = pixels ?? 1_048_576
  return { width: edge(Math.sqrt(area * shape)), height: edge(Math.sqrt(area / shape)) }
}

function ratioOf(text: string): number {
  const [width = 1, height = 1] = text.split(':').map(Number)
  return width / height
}

function pixelsOf({ width = 1, height = 1 }: RecordedFile): number {
  return width * height
}

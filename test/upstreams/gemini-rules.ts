/** What Gemini accepts in a `generateContent` call of an image model, and the words in which it refuses the rest. */
import { Readable } from 'node:stream'
import type { RecordedRequest } from './fake-upstream.ts'
import { GeminiRefusal, refuseField } from './gemini-refusal.ts'
import { type RecordedFile, recordFile } from './recorded-file.ts'

/** A call that was accepted, with the values that will be used. */
export interface GeminiCall {
  model: string
  prompt: string
  images: RecordedFile[]
  width: number
  height: number
  imageSize: string
  /** Does text come with the picture? */
  talks: boolean
  seed?: number
}

interface Family {
  ratios: Readonly<Record<string, readonly [number, number]>>
  imageSizes: readonly string[]
  maxImages: number
}

/** Pixels at 1K, as the guide "Image generation" prints them. */
const gemini3: Family['ratios'] = {
  '1:1': [1024, 1024],
  '2:3': [848, 1264],
  '3:2': [1264, 848],
  '3:4': [896, 1200],
  '4:3': [1200, 896],
  '4:5': [928, 1152],
  '5:4': [1152, 928],
  '9:16': [768, 1376],
  '16:9': [1376, 768],
  '21:9': [1584, 672],
}
const flash: Family['ratios'] = {
  ...gemini3,
  '1:4': [512, 2048],
  '4:1': [2048, 512],
  '1:8': [384, 3072],
  '8:1': [3072, 384],
}

const families: Readonly<Record<string, Family>> = {
  'gemini-3-pro-image': { ratios: gemini3, imageSizes: ['1K', '2K', '4K'], maxImages: 14 },
  'gemini-3.1-flash-image': { ratios: flash, imageSizes: ['512', '1K', '2K', '4K'], maxImages: 14 },
  'gemini-3.1-flash-lite-image': { ratios: flash, imageSizes: [], maxImages: 14 },
}

const factors: Readonly<Record<string, number>> = { '512': 0.5, '1K': 1, '2K': 2, '4K': 4 }

const pictureTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif']
const harms = [
  'HARM_CATEGORY_HARASSMENT',
  'HARM_CATEGORY_HATE_SPEECH',
  'HARM_CATEGORY_SEXUALLY_EXPLICIT',
  'HARM_CATEGORY_DANGEROUS_CONTENT',
]
const thresholds = ['BLOCK_LOW_AND_ABOVE', 'BLOCK_MEDIUM_AND_ABOVE', 'BLOCK_ONLY_HIGH', 'BLOCK_NONE', 'OFF']

/** Reads the call, or throws `GeminiRefusal` as Google would. */
export async function readGeminiCall(request: RecordedRequest): Promise<GeminiCall> {
  const [, model = ''] = /^\/v1beta\/models\/([^/:?]+):generateContent$/.exec(request.path) ?? []
  const family = families[model]
  if (!family) {
    throw new GeminiRefusal(
      404,
      'NOT_FOUND',
      `models/${model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods.`,
    )
  }
  const body = record(request.body, ['contents', 'generationConfig', 'safetySettings'], '')
  checkSafety(body.safetySettings)
  const config = record(
    body.generationConfig ?? {},
    ['responseModalities', 'imageConfig', 'seed', 'candidateCount'],
    'generation_config',
  )
  const { seed, candidateCount = 1, responseModalities = ['TEXT', 'IMAGE'] } = config
  if (candidateCount !== 1) invalid('Multiple candidates is not enabled for this model')
  if (seed !== undefined && !isInt32(seed)) {
    refuseField('generation_config.seed', `Invalid value at 'generation_config.seed' (TYPE_INT32), ${seed}`)
  }
  const modalities = [responseModalities].flat()
  if (!modalities.includes('IMAGE'))
    invalid('The requested combination of response modalities is not supported.')
  const { prompt, images } = await readContents(body.contents, family)
  return {
    model,
    prompt,
    images,
    ...readSize(config.imageConfig ?? {}, family, images[0]),
    talks: modalities.includes('TEXT'),
    ...(typeof seed === 'number' ? { seed } : {}),
  }
}

async function readContents(contents: unknown, family: Family) {
  if (!Array.isArray(contents) || contents.length === 0)
    invalid('* GenerateContentRequest.contents: contents is not specified')
  const parts = contents.flatMap((content, index) => {
    const at = `contents[${index}]`
    const { role = 'user', parts: own } = record(content, ['role', 'parts'], at)
    if (role !== 'user' && role !== 'model') invalid('Please use a valid role: user, model.')
    if (!Array.isArray(own) || own.length === 0)
      invalid(`* GenerateContentRequest.${at}.parts: contents.parts must not be empty.`)
    return own.map((part, place) => record(part, ['text', 'inlineData'], `${at}.parts[${place}]`))
  })
  const images = await Promise.all(
    parts.flatMap((part) => (part.inlineData ? [readPicture(part.inlineData)] : [])),
  )
  if (images.length > family.maxImages)
    invalid(`The number of input images exceeds the limit of ${family.maxImages}.`)
  const prompt = parts.map(({ text = '' }) => String(text)).join('\n')
  if (prompt.trim() === '') invalid('Unable to submit request because it must have a text parameter.')
  return { prompt, images }
}

async function readPicture(inlineData: unknown): Promise<RecordedFile> {
  const { mimeType, data } = record(inlineData, ['mimeType', 'data'], 'contents[0].parts[1].inline_data')
  if (typeof mimeType !== 'string' || !pictureTypes.includes(mimeType))
    invalid(`Unsupported MIME type: ${mimeType}`)
  if (typeof data !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) {
    refuseField('contents[0].parts[1].inline_data.data', 'Invalid value: Base64 decoding failed')
  }
  const file = await recordFile(Readable.from([Buffer.from(data, 'base64')]), { mediaType: mimeType })
  if (`image/${file.format}` !== mimeType)
    invalid(
      'Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
    )
  return file
}

function readSize(imageConfig: unknown, family: Family, first: RecordedFile | undefined) {
  const at = 'generation_config.image_config'
  const { aspectRatio, imageSize } = record(imageConfig, ['aspectRatio', 'imageSize'], at)
  if (aspectRatio !== undefined && !Object.hasOwn(family.ratios, String(aspectRatio))) {
    const known = Object.keys(family.ratios).join(', ')
    refuseField(`${at}.aspect_ratio`, `aspect_ratio must be one of: ${known}`)
  }
  if (imageSize !== undefined && !family.imageSizes.includes(String(imageSize))) {
    refuseField(`${at}.image_size`, `image_size must be one of: ${family.imageSizes.join(', ')}`)
  }
  const [width, height] = family.ratios[String(aspectRatio ?? ratioNear(family, first))] ?? [1024, 1024]
  const factor = factors[String(imageSize ?? '1K')] ?? 1
  return { width: width * factor, height: height * factor, imageSize: String(imageSize ?? '1K') }
}

/** Without a ratio, an edit is as upright as its first picture. */
function ratioNear({ ratios }: Family, first: RecordedFile | undefined): string {
  const wished = (first?.width ?? 1) / (first?.height ?? 1)
  const distance = ([, [width, height]]: [string, readonly [number, number]]) =>
    Math.abs(Math.log(width / height / wished))
  return Object.entries(ratios).toSorted((a, b) => distance(a) - distance(b))[0]?.[0] ?? '1:1'
}

function checkSafety(settings: unknown): void {
  if (settings === undefined) return
  if (!Array.isArray(settings)) invalid("Invalid value at 'safety_settings'")
  const seen = new Set<unknown>()
  for (const [index, setting] of settings.entries()) {
    const at = `safety_settings[${index}]`
    const { category, threshold } = record(setting, ['category', 'threshold'], at)
    if (!harms.includes(String(category)))
      refuseField(`${at}.category`, `Invalid value at '${at}.category', "${category}"`)
    if (!thresholds.includes(String(threshold)))
      refuseField(`${at}.threshold`, `Invalid value at '${at}.threshold', "${threshold}"`)
    if (seen.has(category))
      invalid(`* GenerateContentRequest.safety_settings: element predicate failed: duplicated ${category}`)
    seen.add(category)
  }
}

/** An object with these names only: Google's parser of JSON knows its messages field by field. */
function record(value: unknown, names: readonly string[], at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) invalid(`Invalid value at '${at}'`)
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue
    const where = at === '' ? '' : ` at '${at}'`
    refuseField(at, `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`)
  }
  return { ...value }
}

function isInt32(value: unknown): boolean {
  return Number.isInteger(value) && Math.abs(Number(value)) <= 0x7fffffff
}

function invalid(message: string): never {
  throw new GeminiRefusal(400, 'INVALID_ARGUMENT', message)
}

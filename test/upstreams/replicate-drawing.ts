/** What the models on the fake Replicate draw: which size an input asks for, and the picture itself. */
import { fakeEdit, fakePicture } from './fake-picture.ts'
import { RecordedFile } from './recorded-file.ts'
import type { ModelRules } from './replicate-rules.ts'

export interface Drawn {
  bytes: Buffer
  /** The ending of the file. */
  format: 'jpg' | 'png' | 'webp'
}

interface Size {
  width: number
  height: number
}

/** Finds an uploaded file by its address. */
export type FindUpload = (url: string) => RecordedFile | undefined

const cogFlux: Readonly<Record<string, [number, number]>> = {
  '1:1': [1024, 1024],
  '16:9': [1344, 768],
  '21:9': [1536, 640],
  '3:2': [1216, 832],
  '2:3': [832, 1216],
  '4:5': [896, 1088],
  '5:4': [1088, 896],
  '3:4': [896, 1152],
  '4:3': [1152, 896],
  '9:16': [768, 1344],
  '9:21': [640, 1536],
}
const qwen: Readonly<Record<string, [number, number]>> = {
  '1:1': [1328, 1328],
  '16:9': [1664, 928],
  '9:16': [928, 1664],
  '4:3': [1472, 1104],
  '3:4': [1104, 1472],
}

/** Picture `index` of a prediction. */
export async function drawPicture(
  rules: ModelRules,
  input: Record<string, unknown>,
  options: { index: number; otherSize?: Size; findUpload: FindUpload },
): Promise<Drawn> {
  const first = picturesOf(input, options.findUpload)[0]
  const format = (input.output_format as Drawn['format'] | undefined) ?? rules.format
  const picture = {
    ...(options.otherSize ?? sizeOf(rules, input, first)),
    format: format === 'jpg' ? ('jpeg' as const) : format,
    index: options.index,
  }
  const likeness = first?.likeness()
  return { bytes: await (likeness ? fakeEdit(likeness, picture) : fakePicture(picture)), format }
}

/** Every input picture, wherever the model has it, in order. */
export function picturesOf(input: Record<string, unknown>, findUpload: FindUpload): RecordedFile[] {
  return Object.values(input)
    .flat()
    .flatMap((value) => (value instanceof RecordedFile ? value : (findUpload(String(value)) ?? [])))
}

function sizeOf(rules: ModelRules, input: Record<string, unknown>, first: RecordedFile | undefined): Size {
  const { width, height, megapixels, image_size } = input
  if (width && height) return { width: Number(width), height: Number(height) }
  const isCogFlux = 'megapixels' in rules.input
  const followsInput = isCogFlux || /match|auto/.test(String(input.aspect_ratio ?? ''))
  if (first?.width && first.height && followsInput) return { width: first.width, height: first.height }
  const asked = String(input.aspect_ratio ?? rules.aspectRatio ?? '1:1')
  const ratio = /^\d+:\d+$/.test(asked) ? asked : '1:1'
  const known = (isCogFlux ? cogFlux : 'image_size' in rules.input ? qwen : {})[ratio]
  if (known) return divided(known, megapixels === '0.25' || image_size === 'optimize_for_speed' ? 2 : 1)
  const [across = 1, down = 1] = ratio.split(':').map(Number)
  const edge = (share: number) => Math.round((1024 * Math.sqrt(share)) / 32) * 32
  return { width: edge(across / down), height: edge(down / across) }
}

function divided([width, height]: [number, number], divisor: number): Size {
  return { width: width / divisor, height: height / divisor }
}

/**
 * Holds a request against a model's capability table: what goes to the provider, what Gesso must do to the
 * result itself, and what could not be honoured. Nothing leaves here silently dropped: a field is passed on,
 * done by Gesso, refused by name, or listed in the warnings.
 */
import { badRequest } from '../lib/errors.ts'
import type { ProviderRequest } from '../providers/provider.ts'
import { checkTogether } from './check-together.ts'
import {
  type FieldName,
  type FieldSpelling,
  fieldCatalogue,
  fieldNames,
  type ImageFields,
  type OutputFormat,
  outputFormats,
  type Size,
} from './fields.ts'
import type { FieldRule, FieldTable, ServedModel } from './model.ts'
import { translateQuality } from './quality.ts'
import { sameSize } from './size-rule.ts'
import { isSizeProblem, passedHint, type SolvedSize, solveSize } from './solve-size.ts'

/** Something about the request that was not honoured as asked. */
export interface Warning {
  param: string | null
  code: string
  message: string
}

/**
 * How to treat what a model cannot do (RFC 7240). `default`: a picture field is an error, a hint a warning.
 * `strict`: every warning is an error. `lenient`: every such error is a warning.
 */
export type Handling = 'default' | 'strict' | 'lenient'

export interface MappingOptions {
  handling: Handling
  spelling?: FieldSpelling
  /** Fields that the key filled in and not the caller: what the model cannot do of these is a warning. */
  defaulted?: ReadonlySet<FieldName>
}

/** What Gesso itself owes the picture once it has arrived. */
export interface Delivery {
  /** Absent: as the provider made it. */
  format?: OutputFormat
  /** 0–100 for the encoder, where Gesso has to convert. */
  compression?: number
  /** Gesso owes the compression even where the format is right already. */
  compressesItself: boolean
  /** The picture must have exactly this size. */
  size?: Size
  /** The provider was asked for another size, so scaling is no surprise. */
  scales: boolean
  /** Gesso draws the visible label. */
  watermark: boolean
}

/** A provider's request without what is known only later: who, which words, which pictures. */
export type ProviderFields = Omit<
  ProviderRequest,
  'taskId' | 'model' | 'prompt' | 'dialect' | 'images' | 'mask' | 'markup' | 'webhookUrl'
>

export interface MappedFields {
  provider: ProviderFields
  delivery: Delivery
  /** How many of the input pictures, from the first one, and whether the mask or the markup goes to the provider. */
  sends: { images: number; mask: boolean; markup: boolean }
  warnings: Warning[]
}

/** Maps the asked fields onto the model. Throws a 400-kind `GessoError` that names the field and what is allowed. */
export function mapFields(served: ServedModel, asked: ImageFields, options: MappingOptions): MappedFields {
  const model = asked.images === undefined ? served : besideImages(served)
  const fields = withFormat(model, asked)
  checkTogether(fields, options.spelling)
  const warnings: Warning[] = []
  const refuse = (name: FieldName, message: string, how = 'It was ignored.') =>
    refuseOrWarn(name, message, how, { asked, options, warnings })
  warnOfRetirement(model, options.handling, warnings)

  for (const name of fieldNames) {
    const value = fields[name]
    if (value === undefined || name === 'size' || name === 'aspectRatio') continue
    if (name === 'imageSize' && !isHint(name, value)) continue
    const rule = model.fields[name]
    const label = options.spelling?.[name] ?? fieldCatalogue[name].publicName
    if (meansNothing(name, value, rule)) {
      delete fields[name]
      continue
    }
    const problem =
      rule.support === 'unsupported'
        ? `${label} is not supported by ${model.id}.`
        : outsideRule(model, label, name, value, rule)
    if (!problem) continue
    const most = rule.support === 'unsupported' ? undefined : rule.range?.max
    if ((name === 'n' || name === 'images') && most !== undefined) {
      refuse(name, problem, name === 'n' ? `${most} are made.` : `The first ${most} are used.`)
      fields[name] = most
    } else {
      refuse(name, problem)
      delete fields[name]
    }
  }
  leaveWithoutPictures(fields, refuse)
  checkRequired(model, fields)
  const solved = solve(model, fields, refuse)
  fillIn(model, fields)
  return { ...split(model, { ...fields, n: fields.n ?? 1 }, solved), warnings }
}

/** The model with the table that it has for edits. */
function besideImages(model: ServedModel): ServedModel {
  const fields = Object.fromEntries(
    Object.entries(model.fields).map(([name, rule]) => [
      name,
      rule.withoutImages ? { support: 'unsupported' } : rule,
    ]),
  ) as FieldTable
  return { ...model, fields }
}

/**
 * The ask with the format that its compression is about: the model's own where the caller names none. Beside a PNG, 0 and
 * 100 are defaults that clients send along, and ask for nothing.
 */
function withFormat(model: ServedModel, asked: ImageFields): ImageFields {
  const { outputCompression } = asked
  if (outputCompression === undefined) return { ...asked }
  const own = model.fields.outputFormat.default
  const outputFormat =
    asked.outputFormat ?? outputFormats.find((format) => format === own && format !== 'png')
  const isLossless = outputFormat === undefined || outputFormat === 'png'
  const isSilent = isLossless && (outputCompression === 0 || outputCompression === 100)
  return { ...asked, outputFormat, outputCompression: isSilent ? undefined : outputCompression }
}

type Refuse = (name: FieldName, message: string, how?: string) => void

/** Takes away what is about input pictures where none goes to the provider. */
function leaveWithoutPictures(fields: Partial<ImageFields>, refuse: Refuse): void {
  if (fields.images !== undefined) return
  for (const name of ['mask', 'markup', 'strength', 'inputFidelity'] as const) {
    if (fields[name] === undefined) continue
    refuse(name, `${fieldCatalogue[name].publicName} is about an input picture, and there is none.`)
    delete fields[name]
  }
}

/** What the model draws nothing without. No handling can do without it either. */
function checkRequired(model: ServedModel, fields: Partial<ImageFields>): void {
  for (const name of ['images', 'mask'] as const) {
    if (!model.fields[name].required || fields[name] !== undefined) continue
    const { publicName } = fieldCatalogue[name]
    const why =
      name === 'mask' ? 'draws only where a mask lets it' : 'only changes a picture that it is given'
    throw badRequest(publicName, `${publicName} is missing: ${model.id} ${why}.`)
  }
}

/** The size by itself, because its three fields are one wish. */
function solve(model: ServedModel, fields: Partial<ImageFields>, refuse: Refuse): SolvedSize {
  const { size, imageSize } = fields
  if (size && isHint('imageSize', imageSize) && !passedHint(model, imageSize)) {
    refuse('imageSize', `image_size is ${imageSize}, but has no effect beside size with ${model.id}.`)
    return solve(model, { ...fields, imageSize: undefined }, refuse)
  }
  const solved = solveSize(model, fields)
  if (!isSizeProblem(solved)) return solved
  const { field, message, nearest } = solved
  refuse(field, message, nearest ? 'The nearest that the model draws was used.' : 'It was ignored.')
  // One of the three is gone; the others still count.
  return nearest ?? solve(model, { ...fields, [field]: undefined }, refuse)
}

/** What an old id did by itself, and its successor does not. */
function fillIn(model: ServedModel, fields: Partial<ImageFields>): void {
  if (fields.quality === undefined && model.fields.quality.fill) fields.quality = model.fields.quality.fill
  if (fields.quality === undefined) return
  const { values, wire } = model.fields.quality
  const quality = translateQuality(fields.quality, values)
  fields.quality = wire?.[quality] ?? quality
}

/** Parts what the provider does from what Gesso does. */
function split(model: ServedModel, fields: ImageFields, solved: SolvedSize): Omit<MappedFields, 'warnings'> {
  const { outputFormat, outputCompression, images, mask, markup, watermark, ...rest } = fields
  const { size: _size, aspectRatio: _ratio, imageSize: _class, ...others } = rest
  const { exact, ...sizes } = solved
  const passes = (name: FieldName) => ['native', 'renamed', 'converted'].includes(model.fields[name].support)
  const native = model.fields.outputFormat
  const providerMakesFormat =
    outputFormat === undefined ||
    (passes('outputFormat') && (native.values === undefined || native.values.includes(outputFormat)))
  const passesCompression = providerMakesFormat && passes('outputCompression')
  return {
    provider: {
      ...others,
      ...sizes,
      ...(providerMakesFormat && passes('outputFormat') && outputFormat ? { outputFormat } : {}),
      ...(passesCompression && outputCompression !== undefined ? { outputCompression } : {}),
      // Said either way: some providers label their pictures unless they are told not to.
      ...(passes('watermark') ? { watermark: watermark ?? false } : {}),
    },
    delivery: {
      format: outputFormat,
      compression: outputCompression,
      compressesItself: !passesCompression,
      size: exact,
      scales: exact !== undefined && solved.size !== undefined && !sameSize(exact, solved.size),
      watermark: watermark === true && !passes('watermark'),
    },
    sends: { images: images ?? 0, mask: mask !== undefined, markup: markup !== undefined },
  }
}

/** Asks for what the model does anyway: `auto` where it has no such word, `opaque` where it knows no backgrounds. */
function meansNothing(name: FieldName, value: unknown, { support, values }: FieldRule): boolean {
  if (value === 'auto') return support === 'unsupported' || values?.includes(value) === false
  return support === 'unsupported' && name === 'background' && value === 'opaque'
}

function outsideRule(
  model: ServedModel,
  label: string,
  name: FieldName,
  value: unknown,
  rule: FieldRule,
): string | undefined {
  const { range, values } = rule
  const numbers = [value].flat().filter((one) => typeof one === 'number')
  const outside = range && numbers.find((one) => one < range.min || one > range.max)
  if (range && outside !== undefined) {
    return name === 'images'
      ? `image has ${outside} pictures, but ${model.id} takes at most ${range.max}.`
      : `${label} is ${outside}, but ${model.id} takes ${range.min === range.max ? `only ${range.min}` : `${range.min} to ${range.max}`}.`
  }
  if (Array.isArray(value) && rule.maxItems !== undefined && value.length > rule.maxItems) {
    return `${label} has ${value.length} entries, but ${model.id} takes at most ${rule.maxItems}.`
  }
  if (name === 'outputFormat' || !values || typeof value !== 'string') return undefined
  const translated = name === 'quality' ? translateQuality(value, values) : value
  return values.includes(translated)
    ? undefined
    : `${label} is ${JSON.stringify(value)}, but ${model.id} takes ${values.join(', ')}.`
}

/** How good or how quick a picture should be does not change what it shows. */
function isHint(name: FieldName, value: unknown): boolean {
  if (name === 'imageSize') return typeof value === 'string' && value.startsWith('optimize_')
  return fieldCatalogue[name].effect === 'hint'
}

function refuseOrWarn(
  name: FieldName,
  message: string,
  how: string,
  { asked, options, warnings }: { asked: ImageFields; options: MappingOptions; warnings: Warning[] },
): void {
  // What nobody asked for is not worth a word where it would only have been a hint.
  if (options.defaulted?.has(name) && isHint(name, asked[name])) return
  const param = options.spelling?.[name] ?? fieldCatalogue[name].publicName
  const isError =
    !options.defaulted?.has(name) &&
    (options.handling === 'strict' || (options.handling === 'default' && !isHint(name, asked[name])))
  if (isError) throw badRequest(param, message, 'unsupported_parameter')
  warnings.push({ param, code: 'unsupported_parameter', message: `${message} ${how}` })
}

function warnOfRetirement({ id, retired }: ServedModel, handling: Handling, warnings: Warning[]): void {
  if (!retired) return
  const message = `${id} was closed by its vendor on ${retired.on}; ${retired.successor} draws in its place, within the limits of ${id}.`
  if (handling === 'strict')
    throw badRequest('model', `${message} Ask for ${retired.successor}.`, 'unsupported_parameter')
  warnings.push({ param: 'model', code: 'deprecated_model', message })
}

/**
 * Holds a request against a model's capability table: what goes to the provider, what Gesso must do to the
 * result itself, and what could not be honoured. Nothing leaves here silently dropped: a field is passed on,
 * done by Gesso, refused by name, or listed in the warnings.
 */
import { badRequest } from '../lib/errors.ts'
import type { ProviderRequest } from '../providers/provider.ts'
import { type FieldName, fieldCatalogue, fieldNames, type ImageFields, type OutputFormat } from './fields.ts'
import type { FieldRule, Model } from './model.ts'
import { describeSizes, sizeFits, sizeText } from './size-rule.ts'

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

/** What Gesso itself owes the picture once it has arrived. */
export interface Delivery {
  /** Absent: as the provider made it. */
  format?: OutputFormat
  /** 0–100 for the encoder, where Gesso has to convert. */
  compression?: number
  /** Gesso owes the compression even where the format is right already. */
  compressesItself: boolean
}

export interface MappedFields {
  provider: Omit<ProviderRequest, 'taskId' | 'model' | 'prompt' | 'dialect'>
  delivery: Delivery
  warnings: Warning[]
}

/** Maps the asked fields onto the model. Throws a 400-kind `GessoError` that names the field and what is allowed. */
export function mapFields(model: Model, asked: ImageFields, handling: Handling): MappedFields {
  const warnings: Warning[] = []
  const fields: ImageFields = { ...asked }
  checkTogether(asked)

  for (const name of fieldNames) {
    const value = asked[name]
    if (value === undefined) continue
    const rule = model.fields[name]
    const problem =
      rule.support === 'unsupported' && !meansNothing(name, value)
        ? notSupported(model, name)
        : outsideRule(model, name, value, rule)
    if (problem) {
      refuseOrWarn(name, problem, handling, warnings)
      delete fields[name]
    } else if (rule.support === 'unsupported') {
      delete fields[name]
    }
  }
  fields.n ??= 1
  if (fields.quality !== undefined) fields.quality = translateQuality(fields.quality, model.fields.quality)
  return { ...splitFormat(model, fields), warnings }
}

/** The format is the provider's where it can make it, and Gesso's where it cannot. */
function splitFormat(model: Model, fields: ImageFields): Omit<MappedFields, 'warnings'> {
  const { outputFormat, outputCompression, ...provider } = fields
  const delivery: Delivery = { format: outputFormat, compression: outputCompression, compressesItself: true }
  const native = model.fields.outputFormat
  const providerMakesIt =
    outputFormat === undefined ||
    (native.support === 'native' && (native.values === undefined || native.values.includes(outputFormat)))
  if (!providerMakesIt) return { provider, delivery }
  const passCompression = model.fields.outputCompression.support === 'native'
  return {
    provider: {
      ...provider,
      ...(native.support === 'native' ? { outputFormat } : {}),
      ...(passCompression ? { outputCompression } : {}),
    },
    delivery: { ...delivery, compressesItself: !passCompression },
  }
}

/** Fields that are wrong together, whatever the model. */
function checkTogether(asked: ImageFields): void {
  const { outputFormat, outputCompression, background } = asked
  if (outputCompression !== undefined && (outputFormat === undefined || outputFormat === 'png')) {
    throw badRequest(
      'output_compression',
      `output_compression is ${outputCompression}, but it applies to output_format jpeg, webp and avif only; output_format is ${outputFormat ?? 'not given'}.`,
    )
  }
  if (background === 'transparent' && outputFormat === 'jpeg') {
    throw badRequest(
      'background',
      'background is transparent, but jpeg has no transparency; use output_format png, webp or avif.',
    )
  }
}

/** `auto` and `opaque` are what a model does anyway when it knows nothing of backgrounds. */
function meansNothing(name: FieldName, value: unknown): boolean {
  return value === 'auto' || (name === 'background' && value === 'opaque') || (name === 'n' && value === 1)
}

function notSupported(model: Model, name: FieldName): string {
  return `${fieldCatalogue[name].publicName} is not supported by ${model.id}.`
}

function outsideRule(model: Model, name: FieldName, value: unknown, rule: FieldRule): string | undefined {
  const label = fieldCatalogue[name].publicName
  if (rule.sizes && typeof value === 'object' && value !== null) {
    const size = value as { width: number; height: number }
    return sizeFits(rule.sizes, size)
      ? undefined
      : `${label} ${sizeText(size)} is not possible with ${model.id}; allowed: ${describeSizes(rule.sizes)}.`
  }
  if (rule.range && typeof value === 'number' && (value < rule.range.min || value > rule.range.max)) {
    return `${label} is ${value}, but ${model.id} takes ${rule.range.min} to ${rule.range.max}.`
  }
  if (name === 'outputFormat' || !rule.values || typeof value !== 'string') return undefined
  const translated = name === 'quality' ? translateQuality(value, rule) : value
  return rule.values.includes(translated)
    ? undefined
    : `${label} is ${JSON.stringify(value)}, but ${model.id} takes ${rule.values.join(', ')}.`
}

function refuseOrWarn(name: FieldName, message: string, handling: Handling, warnings: Warning[]): void {
  const { publicName, effect } = fieldCatalogue[name]
  const isError = handling === 'strict' || (handling === 'default' && effect === 'picture')
  if (isError) throw badRequest(publicName, message, 'unsupported_parameter')
  warnings.push({ param: publicName, code: 'unsupported_parameter', message: `${message} It was ignored.` })
}

const qualityTwins: Record<string, string> = {
  standard: 'medium',
  hd: 'high',
  medium: 'standard',
  high: 'hd',
}

/** standard = medium and hd = high, in the words the model has. */
function translateQuality(quality: string, rule: FieldRule): string {
  if (!rule.values || rule.values.includes(quality)) return quality
  const twin = qualityTwins[quality]
  return twin !== undefined && rule.values.includes(twin) ? twin : quality
}

/**
 * What a key fills in where its caller is silent: one client can be pointed at Gesso with nothing but a key, and still
 * get its model, its format and its bucket. A caller's own field always wins. What is stored is read generously, so
 * that a key that was made once goes on working; what a new key may fill in is judged as its callers' own words are.
 */
import { z } from 'zod'
import { normaliseBucketName } from '../lib/bucket-name.ts'
import {
  backgrounds,
  moderations,
  outputFormats,
  qualities,
  responseFormats,
  sizeForm,
  sizeWords,
  styles,
} from '../lib/field-values.ts'

const word = z.string().min(1).max(200)

/** The fields by the names that callers use, as they are stored. */
export const keyDefaults = z.strictObject({
  model: word.optional(),
  size: word.optional(),
  quality: word.optional(),
  style: word.optional(),
  background: word.optional(),
  moderation: word.optional(),
  response_format: z.enum(responseFormats).optional(),
  output_format: word.optional(),
  output_compression: z.int().min(0).max(100).optional(),
  negative_prompt: z.string().min(1).max(4_000).optional(),
  watermark: z.boolean().optional(),
  enhance_prompt: z.boolean().optional(),
  bucket: word.optional(),
})

export type KeyDefaults = z.infer<typeof keyDefaults>

/** The names a default can have. */
export const keyDefaultNames = Object.keys(keyDefaults.shape) as (keyof KeyDefaults)[]

function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(', ')}` }).optional()
}

function text(maxLength: number) {
  const error = `text of 1 to ${maxLength.toLocaleString('en-US')} characters`
  return z.string({ error }).min(1, { error }).max(maxLength, { error })
}

const percentError = 'a whole number from 0 to 100'
const percent = z
  .int({ error: percentError })
  .min(0, { error: percentError })
  .max(100, { error: percentError })
  .optional()
const flag = z.boolean({ error: 'true or false' }).optional()
/** Callers may write jpg, too. */
const format = z
  .enum([...outputFormats, 'jpg'], { error: `one of ${outputFormats.join(', ')}` })
  .transform((name) => (name === 'jpg' ? 'jpeg' : name))
  .optional()
const isSize = (value: string) => value === 'auto' || sizeForm.test(value)
const isBucket = (label: string) => normaliseBucketName(label) !== undefined

/**
 * What a new key may fill in: nothing for which its callers would be refused. The message of an issue says what is
 * allowed, to follow "must be".
 */
export const newKeyDefaults = z
  .strictObject({
    model: text(200).optional(),
    size: z.string({ error: sizeWords }).refine(isSize, { error: sizeWords }).optional(),
    quality: oneOf(qualities),
    style: oneOf(styles),
    background: oneOf(backgrounds),
    moderation: oneOf(moderations),
    response_format: oneOf(responseFormats),
    output_format: format,
    output_compression: percent,
    negative_prompt: text(4_000).optional(),
    watermark: flag,
    enhance_prompt: flag,
    bucket: text(200).refine(isBucket, { error: 'a label with at least one letter a–z or digit' }).optional(),
  } satisfies Record<keyof KeyDefaults, z.ZodType>)
  .refine(({ background, output_format: made }) => background !== 'transparent' || made !== 'jpeg', {
    path: ['background'],
    error: 'opaque or auto beside output_format jpeg, which has no transparency',
  })

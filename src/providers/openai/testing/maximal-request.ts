/** The most that a model's table lets through, as the adapter is asked for it. */
import type { FieldName, ImageFields } from '../../../models/fields.ts'
import { mapFields } from '../../../models/map-fields.ts'
import type { Model, ModelRoute } from '../../../models/model.ts'
import { servedBy } from '../../../models/model.ts'
import type { ProviderRequest } from '../../provider.ts'
import { openSampleInputs } from '../../testing/sample-inputs.ts'

/** One request per file format: every field that is not unsupported is in it, and passes without a warning. */
export async function maximalRequests(model: Model, route: ModelRoute): Promise<ProviderRequest[]> {
  const inputs = await openSampleInputs()
  return (['png', 'jpeg', 'webp', 'avif'] as const).flatMap((outputFormat) =>
    [false, true].map((isEdit) => {
      const asked = maximalFields(route, isEdit)
      const wanted = { ...asked, outputFormat, outputCompression: outputFormat === 'png' ? undefined : 37 }
      const { provider, sends, warnings } = mapFields(servedBy(model, route), wanted, { handling: 'default' })
      const surprises = warnings.filter(({ param }) => param !== 'model')
      if (surprises.length > 0) throw new Error(JSON.stringify(surprises))
      return {
        ...provider,
        n: 1,
        taskId: 'image_1',
        model: route.upstreamModel,
        dialect: route.dialect,
        prompt: 'a heron at dawn',
        ...(sends.images > 0
          ? { images: Array.from({ length: sends.images }, () => inputs.picture('image/png')) }
          : {}),
        ...(sends.mask ? { mask: inputs.mask() } : {}),
      }
    }),
  )
}

const samples: Partial<ImageFields> = {
  seed: 7,
  negativePrompt: 'boats',
  guidance: 2,
  steps: 4,
  strength: 0.5,
  goFast: true,
  disableSafetyChecker: true,
  loraWeights: 'acme/ink',
  loraScale: 1,
  extraLoraWeights: ['acme/paper'],
  extraLoraScale: [1],
  watermark: true,
  series: { maxImages: 2 },
  safetyIdentifier: 'user-1',
  style: 'vivid',
}
const ofEdits: readonly FieldName[] = ['images', 'mask', 'markup', 'inputFidelity', 'strength']

function maximalFields({ fields }: ModelRoute, isEdit: boolean): ImageFields {
  const supported = Object.entries(fields).filter(
    ([name, { support }]) => support !== 'unsupported' && (isEdit || !ofEdits.includes(name as FieldName)),
  )
  const asked = supported.flatMap(([name, { values, range }]) => {
    // A mask or a markup, never both.
    if (name === 'markup') return []
    if (['size', 'aspectRatio', 'imageSize', 'outputFormat', 'outputCompression'].includes(name)) return []
    if (name === 'mask') return [[name, true]]
    const value = values?.at(-1) ?? range?.max ?? samples[name as FieldName]
    return [[name, name === 'background' ? 'opaque' : value]]
  })
  const { sizes } = fields.size
  const size = sizes?.kind === 'list' ? sizes.sizes.at(-1) : { width: 1024, height: 1024 }
  return { n: 1, ...Object.fromEntries(asked), size }
}

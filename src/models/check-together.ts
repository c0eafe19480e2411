/** Fields that are wrong together, whatever the model: each error names the field that should go or change. */
import { badRequest } from '../lib/errors.ts'
import type { FieldSpelling, ImageFields } from './fields.ts'
import { classFor, classOf, ratioError, ratioText, ratioTolerance, ratioValue } from './ratio.ts'
import { sizeText } from './size-rule.ts'

/** Throws a 400 for the first contradiction. */
export function checkTogether(asked: ImageFields, spelling: FieldSpelling = {}): void {
  checkFormat(asked, spelling.outputCompression ?? 'output_compression')
  checkSize(asked)
  checkInputs(asked)
  checkLoras(asked)
  if (asked.series && asked.n > 1) {
    throw badRequest(
      'n',
      `n is ${asked.n}, but sequential_image_generation auto makes one series; say how many pictures it may have in sequential_image_generation_options.max_images.`,
    )
  }
}

function checkFormat({ outputFormat, outputCompression, background }: ImageFields, name: string): void {
  if (outputCompression !== undefined && (outputFormat === undefined || outputFormat === 'png')) {
    throw badRequest(
      name,
      `${name} is ${outputCompression}, but it applies to output_format jpeg, webp and avif only; output_format is ${outputFormat ?? 'not given'}.`,
    )
  }
  if (background === 'transparent' && outputFormat === 'jpeg') {
    throw badRequest(
      'background',
      'background is transparent, but jpeg has no transparency; use output_format png, webp or avif.',
    )
  }
}

function checkSize({ size, aspectRatio, imageSize }: ImageFields): void {
  if (!size) return
  if (aspectRatio && ratioError(size, ratioValue(aspectRatio)) > ratioTolerance) {
    throw badRequest(
      'aspect_ratio',
      `aspect_ratio is ${aspectRatio}, but size ${sizeText(size)} is ${ratioText(size)}; send one of the two, or make them agree.`,
    )
  }
  if (imageSize && !imageSize.startsWith('optimize_') && classFor(imageSize) !== classOf(size)) {
    throw badRequest(
      'image_size',
      `image_size is ${imageSize}, but size ${sizeText(size)} is of the class ${classOf(size)}; send one of the two, or make them agree.`,
    )
  }
}

function checkInputs({ images, mask, markup, strength }: ImageFields): void {
  if (mask && markup) {
    throw badRequest('markup', 'markup is given beside a mask; send one of the two.')
  }
  if (images !== undefined) return
  if (markup) {
    throw badRequest('markup', 'markup is given without an image; send the picture it lies over as image.')
  }
  if (mask)
    throw badRequest('mask', 'mask is given without an image; send the picture it belongs to as image.')
  if (strength !== undefined) {
    throw badRequest(
      'strength',
      `strength is ${strength}, but there is no image that it could be about; send one, or leave strength away.`,
    )
  }
}

function checkLoras({ loraWeights, loraScale, extraLoraWeights, extraLoraScale }: ImageFields): void {
  if (loraScale !== undefined && loraWeights === undefined) {
    throw badRequest('lora_scale', `lora_scale is ${loraScale}, but there are no lora_weights.`)
  }
  if (extraLoraWeights && loraWeights === undefined) {
    throw badRequest('extra_lora_weights', 'extra_lora_weights are given without lora_weights.')
  }
  if (extraLoraScale && extraLoraScale.length !== (extraLoraWeights?.length ?? 0)) {
    throw badRequest(
      'extra_lora_scale',
      `extra_lora_scale has ${extraLoraScale.length} values for ${extraLoraWeights?.length ?? 0} extra_lora_weights; send one for each.`,
    )
  }
}

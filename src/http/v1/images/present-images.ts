/** A finished task in OpenAI's shape. No field is ever an empty string; what is not known is not there. */
import type { KeptPicture } from '../../../generation/store-pictures.ts'
import type { ImageUrls } from '../../../images/image-url.ts'
import type { StoredImage } from '../../../images/stored-image.ts'
import { epochSeconds } from '../../../lib/clock.ts'
import type { Task, TaskResult } from '../../../tasks/task.ts'
import { Base64 } from '../../stream-json.ts'

/** How pictures stand in the answer. */
export type ResponseFormat = 'url' | 'b64_json'

/** The answer of a generation. `b64_json` needs pictures with their bytes. */
export function presentImages(
  task: Task & { result: TaskResult },
  data: readonly object[],
): Record<string, unknown> {
  const { result } = task
  return {
    id: task.id,
    created: epochSeconds(task.completedAt ?? task.createdAt),
    model: task.model,
    data,
    ...presentResult(result),
  }
}

/** The values that were used, usage, cost and warnings. */
export function presentResult(result: TaskResult): Record<string, unknown> {
  return {
    size: result.size,
    quality: result.quality,
    background: result.background,
    output_format: result.output_format,
    bucket: result.bucket,
    prompt_optimization: result.prompt_optimization,
    usage: result.usage,
    cost: result.cost,
    ...(result.warnings.length > 0 ? { warnings: result.warnings } : {}),
  }
}

/** One picture as a link. */
export function presentAsUrl(image: StoredImage, urls: ImageUrls): object {
  const { url, expiresAt } = urls.sign(image)
  return { url, ...aboutImage(image), url_expires_at: expiresAt }
}

/** One picture as base64, encoded while the answer is written. */
export function presentAsBase64(image: KeptPicture): object {
  return { b64_json: new Base64(image.bytes), ...aboutImage(image) }
}

function aboutImage(image: StoredImage): object {
  return { image_id: image.id, revised_prompt: image.revisedPrompt, seed: image.seed }
}

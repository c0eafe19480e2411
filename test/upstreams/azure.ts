/**
 * An Azure OpenAI resource on 127.0.0.1, on the v1 API and on the dated versions: strict where Azure is strict, which is
 * where OpenAI is and in a few places more. `AzureOpenAI` of the official client is the judge of its faithfulness, in
 * `azure.test.ts`.
 */
import { randomUUID } from 'node:crypto'
import {
  AzureRefusal,
  azureFailureAnswer,
  refuseAddress,
  refuseDeployment,
  refuseKey,
} from './azure-failures.ts'
import {
  type FakeAnswer,
  type FakeUpstream,
  type FakeUpstreamOptions,
  type RecordedRequest,
  startFakeUpstream,
} from './fake-upstream.ts'
import { drawPicture, officialReply, type StreamPlay, streamReply } from './openai-drawing.ts'
import { isFormRequest } from './openai-inputs.ts'
import { OpenAiRefusal } from './openai-refusal.ts'
import { type ImageRules, openAiFields, readImageCall } from './openai-rules.ts'

export interface FakeAzureOptions extends FakeUpstreamOptions {
  /** The models by their deployments. */
  deployments?: Readonly<Record<string, string>>
  /** The one key that is taken. */
  apiKey?: string
  /** Pictures as heavy as real ones. */
  noisy?: boolean
  /** Errors repeat the prompt, the key and base64, as careless servers do. */
  echo?: boolean
  /** Draws this size, whatever is asked for. */
  otherSize?: { width: number; height: number }
  /** How streams go. */
  streams?: StreamPlay
}

/** The key that the fake accepts unless told otherwise. */
export const fakeAzureKey = '0123456789abcdef0123456789abcdef'

const ownDeployments = {
  'gpt-image-2': 'gpt-image-2',
  'gpt-image-2.5-sunburst': 'gpt-image-2.5-sunburst',
  'gpt-image-2.5-flare': 'gpt-image-2.5-flare',
  'gpt-image-1.5': 'gpt-image-1.5',
  'gpt-image-1-mini': 'gpt-image-1-mini',
  'team-pictures': 'gpt-image-1.5',
}

const { moderation: _, safety_identifier: __, ...fields } = openAiFields

/** Where Azure differs from OpenAI: no WebP, and fields that it does not have. */
const rules: ImageRules = {
  fields: { ...fields, quality: ['low', 'medium', 'high', 'xhigh', 'max'], output_format: ['png', 'jpeg'] },
  editFields: { input_fidelity: ['high', 'low'] },
  required: ['prompt'],
  models: /^gpt-image/,
  inputFormats: ['png', 'jpeg'],
}

const v1 = /^\/openai\/v1\/images\/(generations|edits)(\?api-version=(v1|preview|latest))?$/
const dated =
  /^\/openai\/deployments\/([^/?]+)\/images\/(generations|edits)\?api-version=\d{4}-\d{2}-\d{2}(-preview)?$/

const models =
  /^\/openai\/(v1\/models(\?api-version=(v1|preview|latest))?|models\?api-version=\d{4}-\d{2}-\d{2}(-preview)?)$/

/** Starts the fake. `url` is the endpoint of the resource. */
export function startFakeAzure(options: FakeAzureOptions = {}): Promise<FakeUpstream> {
  const { apiKey = fakeAzureKey } = options
  const deployments = new Map(Object.entries(options.deployments ?? ownDeployments))

  const answer = async (request: RecordedRequest): Promise<FakeAnswer> => {
    if (request.headers['api-key'] !== apiKey) refuseKey()
    if (request.method === 'GET' && models.test(request.path))
      return { status: 200, body: modelList(deployments) }
    if (!isCall(request)) refuseAddress()
    const model = deployments.get(deploymentOf(request)) ?? refuseDeployment()
    if (/\/edits/.test(request.path) && !isFormRequest(request)) {
      throw new OpenAiRefusal(400, "Invalid Content-Type: expected 'multipart/form-data'.", {
        code: 'unsupported_content_type',
      })
    }
    const body = { ...(request.body as object), model }
    const call = { ...readImageCall({ ...request, body }, rules), ...options.otherSize }
    const draw = (index: number) => drawPicture(call, index, options.noisy)
    if (call.stream) {
      const events = await streamReply(call, await draw(0), options.streams)
      return { status: 200, headers: { 'content-type': 'text/event-stream; charset=utf-8' }, body: events }
    }
    const pictures = await Promise.all(Array.from({ length: call.n }, (_, index) => draw(index)))
    const data = pictures.map((bytes) => ({ b64_json: bytes.toString('base64') }))
    return { status: 200, body: officialReply(call, data) }
  }

  return startFakeUpstream(
    () => ({
      isSubmission: isCall,
      fail: (scenario, request) => azureFailureAnswer(scenario, request, options.echo ?? false),
      async answer(request) {
        const headers = { 'apim-request-id': randomUUID(), 'x-ms-region': 'Sweden Central' }
        try {
          const told = await answer(request)
          return { ...told, headers: { ...headers, ...told.headers } }
        } catch (error) {
          if (error instanceof AzureRefusal) return { ...error.answer, headers }
          if (!(error instanceof OpenAiRefusal)) throw error
          return { status: error.status, headers, body: error.body() }
        }
      },
    }),
    { ...options, basePath: '' },
  )
}

/** The models of the resource, whatever its deployments are called. */
function modelList(deployments: ReadonlyMap<string, string>) {
  const ids = [...new Set(deployments.values())]
  return { object: 'list', data: ids.map((id) => ({ id, object: 'model', status: 'succeeded' })) }
}

function isCall({ method, path }: RecordedRequest): boolean {
  return method === 'POST' && (v1.test(path) || dated.test(path))
}

/** On the dated versions it stands in the address, on v1 it is what the body calls the model. */
function deploymentOf({ path, body }: RecordedRequest): string {
  const [, deployment] = dated.exec(path) ?? []
  if (deployment !== undefined) return decodeURIComponent(deployment)
  return String((body as { model?: unknown } | undefined)?.model)
}

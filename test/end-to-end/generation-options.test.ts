/** What stands beside the picture: dry runs, rewritten prompts, series, labels, retired ids, and earlier pictures as input. */
import pg from 'pg'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/db/open-database.ts'
import { createId } from '../../src/lib/ids.ts'
import { type FakeChat, startFakeChat } from '../upstreams/fake-chat.ts'
import { type FakeUpstream, startFakeOpenAi } from '../upstreams/openai.ts'
import { type DrawingWorld, dataUri, type Json, openDrawingWorld, picturesOf } from './drawing-world.ts'

let upstream: FakeUpstream
let chat: FakeChat
let world: DrawingWorld
let database: pg.Client
beforeAll(async () => {
  upstream = await startFakeOpenAi({ apiKey: null, otherSize: { width: 64, height: 64 } })
  chat = await startFakeChat({ slowMs: 3_000 })
  world = await openDrawingWorld(
    `
optimizer: { base_url: "${chat.url}", model: chat-1, timeout_ms: 1000 }
models:
  - { id: short, provider: openai, upstream_model: gpt-image-2, dialect: gpt-image, prompt_characters: 60 }
`,
    { OPENAI_BASE_URL: upstream.url },
  )
  database = new pg.Client({ connectionString: world.databaseUrl })
  await database.connect()
})
afterEach(() => Promise.all([chat.play('ok'), upstream.play('ok')]))
afterAll(async () => {
  await database.end()
  await world[Symbol.asyncDispose]()
  await Promise.all([chat.close(), upstream.close()])
})

const ask = { model: 'gpt-image-2', prompt: 'a heron', response_format: 'b64_json' }
const collage = { ...ask, model: 'gesso-collage', size: '64x64' }
const lenient = { headers: { prefer: 'handling=lenient' } }
const strict = { headers: { prefer: 'handling=strict' } }

async function count(table: 'tasks' | 'images' | 'buckets'): Promise<number> {
  const { rows } = await database.query(`select count(*)::int as count from ${table}`)
  return rows[0].count
}

describe('dry_run', () => {
  test('prices and warns as the call would, calls nobody and writes nothing', async () => {
    const before = [await count('tasks'), await count('images'), await count('buckets')]
    const calls = [upstream.requests.length, chat.requests.length]
    const body = { ...ask, style: 'vivid', enhance_prompt: true, bucket: 'never made', n: 3, dry_run: true }
    const { status, json, headers, text } = await world.draw(body)
    expect(status, text).toBe(200)
    expect(json).toEqual({
      object: 'image.generation.estimate',
      cost: {
        micros: expect.any(Number),
        currency: 'USD',
        source: 'unmetered',
        components: expect.arrayContaining([expect.objectContaining({ of: 'image out' })]),
      },
      warnings: [expect.objectContaining({ param: 'style' })],
    })
    expect(headers.has('x-gesso-task-id')).toBe(false)
    expect([await count('tasks'), await count('images'), await count('buckets')]).toEqual(before)
    expect([upstream.requests.length, chat.requests.length]).toEqual(calls)
  })

  test('an edit can be tried too, also at its own address', async () => {
    const image = await dataUri({ width: 64, height: 64 })
    for (const path of ['/v1/images/generations', '/v1/images/edits']) {
      const { status, json } = await world.draw({ ...ask, image, dry_run: true }, { path })
      expect([status, json.object]).toEqual([200, 'image.generation.estimate'])
    }
  })

  test.each<[object, { headers?: Record<string, string> }]>([
    [{ model: 'nobody' }, {}],
    [{ seed: 1 }, {}],
    [{ size: '1000x1000' }, {}],
    [{ size: '1024x1024', aspect_ratio: '16:9' }, lenient],
    [{ style: 'vivid' }, strict],
    [{ model: 'dall-e-3' }, strict],
    [{ model: 'dall-e-3', n: 2 }, {}],
    [{ model: 'flux-pro' }, {}],
    [{ model: 'short', prompt: 'x'.repeat(61) }, {}],
    [{ model: 'gpt-image-1.5', input_fidelity: 'high' }, strict],
    [{ bucket: '!!!' }, {}],
    [{ image: 'nonsense!' }, {}],
    [{ mask: 'aaaa' }, {}],
    [{ enhance_prompt: true, optimize_prompt: false }, {}],
    [{ sequential_image_generation_options: { max_images: 2 } }, strict],
  ])('%j is refused in the same words', async (more, options) => {
    const real = await world.draw({ ...ask, ...more }, options)
    const dry = await world.draw({ ...ask, ...more, dry_run: true }, options)
    expect(real.status, real.text).toBeGreaterThanOrEqual(400)
    expect([dry.status, dry.json]).toEqual([real.status, real.json])
  })
})

describe('prompt optimisation', () => {
  const optimized = 'A vivid picture of a heron, full of light and detail'

  test.each(['enhance_prompt', 'optimize_prompt'])(
    '%s has the chat model rewrite the prompt',
    async (name) => {
      const { status, json, text } = await world.draw({ ...ask, [name]: true })
      expect(status, text).toBe(200)
      expect(json.prompt_optimization).toEqual({ original: 'a heron', optimized, model: 'chat-1' })
      expect(json.data[0].revised_prompt).toBe(optimized)
      expect(json.warnings).toBeUndefined()
      expect(upstream.requests.at(-1)?.body).toMatchObject({ prompt: optimized })
      const task = (await (await world.call(`/v1/images/generations/${json.id}`)).json()) as Json
      expect(task).toMatchObject({ prompt: 'a heron', result: { prompt_optimization: { optimized } } })
    },
  )

  test('both spellings that agree are one wish, and that disagree a 400', async () => {
    const agree = await world.draw({ ...ask, enhance_prompt: true, optimize_prompt: true })
    expect(agree.json.prompt_optimization.optimized).toBe(optimized)
    const { status, json } = await world.draw({ ...ask, enhance_prompt: false, optimize_prompt: true })
    expect([status, json.error.param]).toEqual([400, 'optimize_prompt'])
  })

  test('nobody is asked where nobody wants it', async () => {
    const before = chat.requests.length
    const { json } = await world.draw({ ...ask, enhance_prompt: false })
    expect(json.prompt_optimization).toBeUndefined()
    expect(json.data[0].revised_prompt).toBeUndefined()
    expect(chat.requests.length).toBe(before)
  })

  test.each(['500', 'slow', 'html', 'huge', 'tool_call', 'refusal', 'empty', 'redirect'] as const)(
    'a chat model that answers with %s costs no picture: the own prompt and a warning',
    async (scenario) => {
      await chat.play(scenario)
      const { status, json, text } = await world.draw({ ...ask, enhance_prompt: true })
      expect(status, text).toBe(200)
      expect(json.prompt_optimization).toBeUndefined()
      expect(json.warnings).toMatchObject([{ param: 'enhance_prompt', code: 'not_optimized' }])
      expect(json.warnings[0].message).toMatch(/^The prompt is used as it was sent: the chat model .+\.$/)
      expect(upstream.requests.at(-1)?.body).toMatchObject({ prompt: 'a heron' })
      expect(chat.foreignRequests).toEqual([])
    },
  )

  test('a rewrite over the limit of the image model is not used', async () => {
    const fits = await world.draw({ ...ask, model: 'short', enhance_prompt: true })
    expect(fits.json.prompt_optimization.optimized).toBe(optimized)
    const prompt = 'a heron that stands in the reeds'
    const { json } = await world.draw({ ...ask, model: 'short', prompt, enhance_prompt: true })
    expect(json.prompt_optimization).toBeUndefined()
    expect(json.warnings[0].message).toContain('more than 60')
    expect(upstream.requests.at(-1)?.body).toMatchObject({ prompt })
  })
})

describe('a series', () => {
  const series = (max_images?: number) => ({
    ...collage,
    prompt: 'a fox through the day',
    sequential_image_generation: 'auto',
    ...(max_images ? { sequential_image_generation_options: { max_images } } : {}),
  })

  test.each([1, 3, 15])('of at most %i pictures has them, and they differ', async (most) => {
    const answer = await world.draw(series(most))
    expect(answer.status, answer.text).toBe(200)
    const pictures = picturesOf(answer).map((bytes) => bytes.toString('base64'))
    expect(pictures.length).toBeLessThanOrEqual(most)
    expect(pictures.length).toBeGreaterThan(most === 1 ? 0 : 1)
    expect(new Set(pictures).size).toBe(pictures.length)
    expect(answer.json.usage.generated_images).toBe(pictures.length)
    expect(answer.json.warnings).toBeUndefined()
  })

  test('has a length of its own where nobody says one', async () => {
    const answer = await world.draw(series())
    expect(answer.status, answer.text).toBe(200)
    expect(picturesOf(answer).length).toBeGreaterThan(1)
  })

  test.each<[object, string]>([
    [{ n: 2 }, 'n'],
    [
      { sequential_image_generation_options: { max_images: 16 } },
      'sequential_image_generation_options.max_images',
    ],
    [{ sequential_image_generation_options: { length: 2 } }, 'sequential_image_generation_options.length'],
    [{ sequential_image_generation: 'yes' }, 'sequential_image_generation'],
  ])('beside %j is refused', async (more, param) => {
    const { status, json } = await world.draw({ ...series(2), ...more })
    expect([status, json.error.param]).toEqual([400, param])
  })

  test('disabled asks for nothing; its options alone are warned about', async () => {
    const disabled = await world.draw({ ...ask, sequential_image_generation: 'disabled' }, strict)
    expect(disabled.status, disabled.text).toBe(200)
    const options = { sequential_image_generation_options: { max_images: 2 } }
    const pointless = await world.draw({ ...collage, ...options })
    expect(pointless.json.warnings).toMatchObject([{ param: 'sequential_image_generation_options' }])
  })
})

test('input_fidelity without a picture is warned about once, under strict refused, and never sent', async () => {
  const body = { ...ask, model: 'gpt-image-2.5-sunburst', input_fidelity: 'high' }
  for (const model of ['gpt-image-2.5-sunburst', 'gpt-image-1-mini']) {
    const { json, text } = await world.draw({ ...body, model })
    expect(json.warnings, text).toMatchObject([{ param: 'input_fidelity' }])
    expect(upstream.requests.at(-1)?.body).not.toHaveProperty('input_fidelity')
    const refused = await world.draw({ ...body, model }, strict)
    expect([refused.status, refused.json.error.param]).toEqual([400, 'input_fidelity'])
  }
})

describe('metadata', () => {
  test('is kept with the task and shown with it', async () => {
    const metadata = { order: '42', 'a key': 'ünïcode 🦊' }
    const { json } = await world.draw({ ...collage, metadata })
    const { rows } = await database.query('select request from tasks where id = $1', [json.id])
    expect(rows[0].request.metadata).toEqual(metadata)
  })

  test.each<[unknown]>([
    [{ order: 42 }],
    ['order'],
    [['order']],
    [{ order: 'x'.repeat(513) }],
    [{ ['k'.repeat(65)]: 'x' }],
    [Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, 'x']))],
  ])('%j is refused, naming metadata', async (metadata) => {
    const { status, json } = await world.draw({ ...collage, metadata })
    expect(status).toBe(400)
    expect(json.error.param).toMatch(/^metadata/)
  })
})

describe('ids that their vendor has closed', () => {
  test.each([
    ['dall-e-2', { size: '1024x1024', quality: 'medium' }],
    ['dall-e-3', { size: '1024x1024', quality: 'medium' }],
    ['gpt-image-1', { size: 'auto' }],
  ])('%s draws with its successor, by its old defaults, and says so', async (model, told) => {
    const { status, json, text } = await world.draw({ ...ask, model })
    expect(status, text).toBe(200)
    expect(json.model).toBe(model)
    const warning = json.warnings.find((one: Json) => one.code === 'deprecated_model')
    expect(warning).toMatchObject({ param: 'model', message: expect.stringContaining('gpt-image-2') })
    expect(upstream.requests.at(-1)?.body).toEqual({ model: 'gpt-image-2', prompt: 'a heron', n: 1, ...told })
  })

  test('256x256 of dall-e-2 is drawn larger and arrives as 256x256, without a word of it', async () => {
    const answer = await world.draw({ ...ask, model: 'dall-e-2', size: '256x256' })
    expect(upstream.requests.at(-1)?.body).toMatchObject({ size: '1024x1024' })
    const { width, height } = await sharp(picturesOf(answer)[0]).metadata()
    expect([width, height, answer.json.size]).toEqual([256, 256, '256x256'])
    expect(answer.json.warnings.map((one: Json) => one.code)).toEqual(['deprecated_model'])
  })
})

describe('an earlier picture as input', () => {
  /** A second account with a picture of its own. */
  async function strangersPicture(): Promise<{ key: string; imageId: string }> {
    await using own = openDatabase({ connectionString: world.databaseUrl }, { poolSize: 1 })
    const accountId = createId('acct')
    await own.db
      .insertInto('accounts')
      .values({ id: accountId, name: 'other', billing: 'unmetered' })
      .execute()
    const key = await world.createKey({ accountId })
    const answer = await world.draw(collage, { headers: { authorization: `Bearer ${key}` } })
    return { key, imageId: answer.json.data[0].image_id }
  }

  test('is the very picture', async () => {
    const { json } = await world.draw({ ...collage, size: '128x96' })
    const imageId = json.data[0].image_id
    for (const image of [{ image_id: imageId }, [{ image_id: imageId }]]) {
      const { status, text } = await world.draw({ ...ask, image })
      expect(status, text).toBe(200)
      expect(upstream.requests.at(-1)?.body).toMatchObject({ image: { width: 128, height: 96 } })
    }
  })

  test('of another account is refused like one that does not exist, and nobody is called', async () => {
    const stranger = await strangersPicture()
    const before = upstream.requests.length
    const refusal = async (imageId: string, field: string) => {
      const image = await dataUri({ width: 64, height: 64 })
      const input = { image_id: imageId }
      const answer = await world.draw({
        ...ask,
        ...(field === 'image' ? { image: input } : { image, mask: input }),
      })
      return { status: answer.status, text: answer.text.replaceAll(imageId, 'ID') }
    }
    for (const field of ['image', 'mask']) {
      const theirs = await refusal(stranger.imageId, field)
      expect(theirs.status).toBe(400)
      expect(theirs.text).toContain(`${field}.image_id`)
      expect(theirs).toEqual(await refusal(createId('img'), field))
    }
    expect(upstream.requests.length).toBe(before)
    const own = await world.draw(
      { ...ask, image: { image_id: stranger.imageId } },
      { headers: { authorization: `Bearer ${stranger.key}` } },
    )
    expect(own.status, own.text).toBe(200)
  })

  test.each([['img_'], ['../../etc/passwd'], [`img_${'0'.repeat(25)}`], [7], [{}]])(
    'an image_id of %j is refused by its form',
    async (imageId) => {
      const { status, json } = await world.draw({ ...ask, image: { image_id: imageId } })
      expect([status, json.error.param]).toEqual([400, 'image.image_id'])
    },
  )
})

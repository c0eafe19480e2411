import { describe, expect, it } from 'vitest'
import { errorAdvice } from './error-advice.ts'
import { type OpenApiDocument, renderDocumentation } from './render-documentation.ts'

const baseUrl = 'https://gesso.example/'
const errors = Object.keys(errorAdvice).map((code) => ({ code, status: 418, type: 'some_error' }))

const document: OpenApiDocument = {
  info: { title: 'Gesso', version: '1.2.3', description: 'First `code`.\n\nSecond.' },
  security: [{ key: [] }],
  paths: {
    '/v1/images/generations': {
      post: {
        operationId: 'generateImages',
        summary: 'Generate images',
        tags: ['Images'],
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Body' } } } },
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Answer' } } } },
          '4XX': { description: 'Refused.' },
        },
      },
    },
    '/v1/models': { get: { operationId: 'listModels', tags: ['Models'], security: [] } },
    '/v1/models/{model}': { get: { tags: ['Models'] }, delete: { tags: ['Models'] } },
  },
  components: {
    schemas: {
      Body: {
        type: 'object',
        properties: { prompt: { type: 'string' }, seed: { type: 'integer' } },
        required: ['prompt'],
        example: { prompt: "a cat's nap", seed: 7 },
      },
      Answer: {
        type: 'object',
        properties: { data: { type: 'array', items: { $ref: '#/components/schemas/Entry' } } },
      },
      Entry: { type: 'object', properties: { url: { type: 'string', format: 'uri' } }, required: ['url'] },
    },
  },
}

const page = renderDocumentation(document, { baseUrl }, errors)
const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)

describe('the documentation page', () => {
  it('has an anchor for every operation and every error code, each once', () => {
    expect(ids).toEqual(expect.arrayContaining(['operation-generateImages', 'operation-listModels']))
    expect(ids).toEqual(expect.arrayContaining(errors.map(({ code }) => `error-${code}`)))
    expect(ids.filter((id) => id?.startsWith('operation-'))).toHaveLength(4)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('links only to anchors that exist, and to its own document', () => {
    const targets = [...page.matchAll(/ href="([^"]*)"/g)].map(([, target]) => target ?? '')
    expect(targets.length).toBeGreaterThan(10)
    for (const target of targets) expect([...ids.map((id) => `#${id}`), 'openapi.json']).toContain(target)
  })

  it('says for every error code what it means', () => {
    for (const { code } of errors) {
      const row = page.split(`id="error-${code}"`)[1]?.split('</tr>')[0]
      expect(row, code).toMatch(/class="about-field">[^<]{3,}/)
    }
  })

  it('lists the fields behind references, with their paths', () => {
    expect(textOf(page)).toContain('data[].url')
  })

  it('shows curl for every operation, and the OpenAI packages for generating only', () => {
    expect(page.match(/<figcaption>curl</g)).toHaveLength(4)
    expect(page.match(/<figcaption>Node</g)).toHaveLength(1)
    expect(page.match(/<figcaption>Python</g)).toHaveLength(1)
    expect(textOf(page)).toContain('extra_body={"seed": 7}')
    expect(textOf(page)).toContain('base_url="https://gesso.example/v1"')
  })

  it('needs no script and nothing from elsewhere', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\son\w+=|style="/i)
  })

  it('renders a document without paths, and one that is nearly empty', () => {
    expect(renderDocumentation({ info: document.info }, { baseUrl }, [])).toContain('id="in-one-minute"')
    const bare = { info: document.info, paths: { '/x': { post: { requestBody: {} } }, '/y': undefined } }
    expect(renderDocumentation(bare, { baseUrl }, [])).toContain('id="operation-post-x"')
  })
})

describe('a hostile document', () => {
  const hostile = `"'><script>alert(1)</script>\`<img src=x onerror=y>\`&amp;`

  it('puts no markup into the page, wherever its text stands', () => {
    const poisoned = poison(document, hostile) as OpenApiDocument
    const hostileErrors = [{ code: hostile, status: 400, type: hostile }]
    const rendered = renderDocumentation(poisoned, { baseUrl: `https://${hostile}` }, hostileErrors)
    expect(rendered).toContain('&lt;script&gt;alert(1)')
    expect(rendered).not.toMatch(/<script|<img/i)
    for (const [, value] of rendered.matchAll(/="([^"]*)"/g)) expect(value).not.toMatch(/[<>]/)
  })

  it('cannot pass an object for finished HTML', () => {
    const info = { ...document.info, description: { markup: '<script>' } as unknown as string }
    expect(renderDocumentation({ info }, { baseUrl }, [])).not.toContain('<script')
  })
})

/** The same document with the text put after every string that is shown and is no reference, key or type. */
function poison(value: unknown, text: string, key = ''): unknown {
  if (typeof value === 'string') return ['$ref', 'type', 'format', 'in'].includes(key) ? value : value + text
  if (Array.isArray(value)) return value.map((item) => (key === 'required' ? item : poison(item, text, key)))
  if (typeof value !== 'object' || value === null) return value
  const namesAreShown = key === 'paths' || key === 'properties'
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      namesAreShown ? name + text : name,
      poison(inner, text, name),
    ]),
  )
}

function textOf(markup: string): string {
  const entities: Record<string, string> = {
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
    '&amp;': '&',
  }
  return markup.replace(/<[^>]*>/g, '').replace(/&[^;]+;/g, (entity) => entities[entity] ?? entity)
}

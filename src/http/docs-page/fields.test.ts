import { describe, expect, it } from 'vitest'
import { describeSchema } from './describe-schema.ts'
import { listFields, renderFields } from './fields.ts'
import { toMarkup } from './html.ts'
import type { JsonSchema, OpenApiDocument } from './openapi-document.ts'

const document: OpenApiDocument = {
  info: { title: 'Gesso', version: '1' },
  components: {
    schemas: {
      Size: {
        type: 'object',
        properties: { width: { type: 'integer' } },
        required: ['width'],
        description: 'Inner.',
      },
      Tree: { type: 'object', properties: { child: { $ref: '#/components/schemas/Tree' } } },
      Loop: { $ref: '#/components/schemas/Loop' },
      List: { type: 'array', items: { $ref: '#/components/schemas/List' } },
    },
  },
}
const describeIt = (schema: JsonSchema) => describeSchema(document, schema)
const fieldsOf = (properties: Record<string, JsonSchema>, required: string[] = []) =>
  listFields(document, { type: 'object', properties, required })

describe('listing fields', () => {
  it('follows references and arrays, and takes null off a choice', () => {
    const fields = fieldsOf(
      {
        size: { $ref: '#/components/schemas/Size', description: 'Outer.' },
        sizes: { anyOf: [{ type: 'array', items: { $ref: '#/components/schemas/Size' } }, { type: 'null' }] },
        note: { type: ['string', 'null'] },
      },
      ['size', 'note'],
    )
    expect(fields.map(({ name, required, nullable }) => [name, required, nullable])).toEqual([
      ['size', true, false],
      ['size.width', true, false],
      ['sizes', false, true],
      ['sizes[].width', true, false],
      ['note', true, true],
    ])
    expect(fields[0]?.schema.description).toBe('Outer.')
  })

  it('merges allOf', () => {
    const own = { type: 'object', properties: { own: { type: 'string' } }, required: ['own'] }
    const fields = listFields(document, { allOf: [{ $ref: '#/components/schemas/Size' }, own] })
    expect(fields.map(({ name, required }) => [name, required])).toEqual([
      ['width', true],
      ['own', true],
    ])
  })

  it('ends with schemas that contain themselves', () => {
    expect(listFields(document, { $ref: '#/components/schemas/Tree' }).map(({ name }) => name)).toEqual([
      'child',
      'child.child',
      'child.child.child',
    ])
    expect(listFields(document, { $ref: '#/components/schemas/Loop' })).toEqual([])
    expect(listFields(document, { $ref: '#/components/schemas/List' })).toEqual([])
    expect(describeIt({ type: 'array', items: { $ref: '#/components/schemas/List' } }).type).toMatch(
      /^array of/,
    )
  })

  it('shows a field that may be null as optional in a request and as "or null" in an answer', () => {
    const fields = fieldsOf({
      n: { default: 1, anyOf: [{ type: 'integer', minimum: 1, maximum: 10 }, { type: 'null' }] },
    })
    const request = toMarkup(renderFields(document, fields, { label: 'Request', kind: 'request' }))
    expect(request).toContain('>integer, 1 to 10<')
    expect(request).toContain('default <code>1</code>')
    expect(request).toContain('>optional<')
    const answer = toMarkup(renderFields(document, fields, { label: 'Answer', kind: 'response' }))
    expect(answer).toContain('>integer or null, 1 to 10<')
  })
})

describe('describing a schema', () => {
  it.each<[JsonSchema, string, string]>([
    [{ type: 'string', minLength: 1, maxLength: 32_000 }, 'string', '1 to 32,000 characters'],
    [{ type: 'string', format: 'uri' }, 'URL', ''],
    [{ type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, 'integer', ''],
    [{ type: 'integer', minimum: 0 }, 'integer', 'at least 0'],
    [
      { type: 'array', items: { $ref: '#/components/schemas/Size' }, maxItems: 4 },
      'array of objects',
      'at most 4 items',
    ],
    [{ type: 'object', additionalProperties: { type: 'string' } }, 'map of strings', ''],
    [
      { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      'string or array of strings',
      '',
    ],
    [{}, '', ''],
  ])('says %j in words', (schema, type, limits) => {
    expect(describeIt(schema)).toMatchObject({ type, limits })
  })

  it('lists allowed words, and a constant as the only one', () => {
    expect(describeIt({ type: 'string', enum: ['auto', 'low'] }).values).toEqual(['auto', 'low'])
    expect(describeIt({ const: false }).values).toEqual(['false'])
  })
})

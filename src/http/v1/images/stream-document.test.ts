/** What `/openapi.json` says of streams. */
import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { requireAuthentication } from '../../auth.ts'
import { documentation } from '../../documentation.ts'
import type { AnswerDependencies } from './answer-body.ts'
import { editImages } from './edit.ts'
import { generateImages } from './generate.ts'

test('generations and edits answer JSON, or events, whose last has what the JSON has', async () => {
  const server = Fastify()
  requireAuthentication(server, { authenticate: () => Promise.reject(new Error('not used')) })
  await documentation(server, { publicUrl: () => 'https://images.example.com' })
  generateImages(server, {} as AnswerDependencies)
  editImages(server, {} as AnswerDependencies)
  const { paths, components } = (await server.inject('/openapi.json')).json()
  for (const path of ['/v1/images/generations', '/v1/images/edits']) {
    const { content, description } = paths[path].post.responses[200]
    expect(Object.keys(content)).toEqual(['application/json', 'text/event-stream'])
    expect(content['text/event-stream'].schema).toEqual({ $ref: '#/components/schemas/ImageEvent' })
    expect(description).toContain('stream')
    expect(JSON.stringify(content['application/json'].schema)).toContain('#/components/schemas/Images')
  }
  const { properties, required } = components.schemas.ImageEvent
  expect(required).toEqual(['type'])
  for (const name of [
    'b64_json',
    'url',
    'partial_image_index',
    'index',
    'usage',
    'cost',
    'warnings',
    'error',
  ])
    expect(properties).toHaveProperty(name)
  await server.close()
})
